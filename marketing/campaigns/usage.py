"""Which campaigns lean on a segment, for whoever is about to take it away."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from marketing.campaigns.models import Campaign


def of_segment(segment_id: UUID) -> list[Campaign]:
    """Return the campaigns under way, or approved, that go to the segment or leave it out."""
    open_ = [Campaign.State.WAITING, Campaign.State.APPROVED, Campaign.State.LIVE,
             Campaign.State.PAUSED]  # fmt: skip
    asks = Q(segment_id=segment_id) | Q(excluded_id=segment_id)
    return list(Campaign.objects.filter(asks, state__in=open_).order_by("name"))
