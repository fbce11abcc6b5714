"""Membership that follows what happens: changes, edits and the clock. `follow` is the way in."""
