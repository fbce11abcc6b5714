"""Where a person can be reached: addresses are not people, and one person has several."""

from __future__ import annotations

from contacts.points.choosing import Address, address_for

__all__ = ["Address", "address_for"]
