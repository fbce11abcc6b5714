"""Files of people: checked wholly first, then stored in one transaction, or not at all."""
