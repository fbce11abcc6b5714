"""Checks of our own, for what no linter knows."""
