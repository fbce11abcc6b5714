"""Addresses of pages that another floor's page links to."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse


def address(route: str, *args: object) -> str:
    """Return the page's address; empty where this installation has no such page."""
    try:
        return reverse(route, args=args)
    except NoReverseMatch:
        return ""
