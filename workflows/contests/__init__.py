"""Contests between the arms of a split: who won, and that it was decided once."""
