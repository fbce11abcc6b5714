"""What secured the connections by which mail went: kept once, and named by every mail."""
