"""How often at most a person wants to be written to: a frequency cap of their own."""

from __future__ import annotations

from consent.models import Choice
from consent.rulebook import Cap

DAYS = {"weekly": 7, "monthly": 30}
EVERY = "every"
"""As often as there is something to say: no cap."""
OPTIONAL = frozenset({"marketing", "remunerated_marketing", "fundraising", "operations"})
"""What nobody needs at a certain time; appointments and care are not counted."""


def cap(value: str) -> Cap:
    return Cap(
        id=f"person.{value}",
        most=1,
        days=DAYS[value],
        channels=frozenset(),
        purposes=OPTIONAL,
        when_full="hold",
        source="The person's own choice",
    )


def chosen() -> list[Cap]:
    """Return one cap for each frequency that anybody of the organisation chose."""
    standing = Choice.objects.filter(kind=Choice.Kind.FREQUENCY, ended_at=None)
    return [cap(one) for one in DAYS if standing.filter(value=one).exists()]
