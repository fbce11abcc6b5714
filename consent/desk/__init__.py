"""What the compliance officer asks: who agreed to what, whom it covers, how it ended."""
