"""Keys that mail is encrypted to and signed with."""
