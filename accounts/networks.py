"""Where a request came from, as coarsely as limits by source need it."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from django.http import HttpRequest


def network_of(request: HttpRequest) -> str:
    """Return the network that the request came from: one household or office, roughly."""
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return "unknown"
    return str(ip_network((address, 24 if address.version == 4 else 64), strict=False))
