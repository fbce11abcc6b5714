"""Where a mail may load pictures from."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from accounts import tenancy
from accounts.models import Organisation


def own_hosts() -> frozenset[str]:
    """Return the organisation's own hosts, and no other: a picture tells who opened (TR-01)."""
    origin = Organisation.objects.get(id=tenancy.current()).web_origin
    host = urlsplit(origin or settings.ATTUNE_PUBLIC_ORIGIN).hostname
    return frozenset([host] if host else [])
