"""Templates: written, checked, compared, reviewed."""
