"""What a message is before it goes: its parts, blocks, languages, checks and reviews."""
