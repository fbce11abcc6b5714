"""Who lives together, and who may act for whom."""

from __future__ import annotations

from contacts.households.living import mates_of, members_of

__all__ = ["mates_of", "members_of"]
