"""By which pool a message leaves: its relay, its address, its limits, and whether it runs."""
