"""Moving people from one published version to another, and what becomes of them in a pause."""
