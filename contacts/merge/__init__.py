"""Two records that are one person: found, compared, merged, and taken apart again."""
