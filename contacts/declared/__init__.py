"""What an organisation declares for itself: fields of its own, and groups of codes."""
