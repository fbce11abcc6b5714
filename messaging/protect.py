"""By which protected way may this message go? A pure choice; nothing ever goes in the clear.

A mail has two hops: from here to the relay, which the transport verifies for itself, and from the
relay to the person's own mail server, which only the relay can enforce. What a message says of the
person decides how much of that way must be known to be protected (`DEMANDS`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Hop(StrEnum):
    """What is known of the hop to the relay."""

    VERIFIED = "verified"
    """TLS 1.2 or later, certificate and host name checked."""
    SAME_HOST = "same_host"
    """The relay is on this machine: nothing crosses a network."""
    CLEAR = "clear"


class Onward(StrEnum):
    """What is known of the hop from the relay to the recipient."""

    ENFORCED = "enforced"
    """The relay refuses to deliver without verified TLS (DANE, MTA-STS or a secure policy)."""
    OPPORTUNISTIC = "opportunistic"
    """The relay tries TLS and falls back to the clear: good enough for no clinical fact."""


class Demand(IntEnum):
    RELAY = 1
    """Protected to the relay."""
    ALL_THE_WAY = 2
    """Protected to the recipient's server."""
    PORTAL = 3
    """Never by mail: picked up from the portal after a check."""
    NEVER = 4
    """Never by this product."""


DEMANDS: Mapping[str, Demand] = {
    "engagement": Demand.RELAY,
    "contact_point": Demand.RELAY,
    "identity": Demand.RELAY,
    "demographic": Demand.ALL_THE_WAY,
    "coverage": Demand.ALL_THE_WAY,
    "clinical": Demand.ALL_THE_WAY,
    "minor": Demand.PORTAL,
    "reproductive": Demand.PORTAL,
    "hiv": Demand.PORTAL,
    "mental_health": Demand.PORTAL,
    "substance_use": Demand.PORTAL,
    "psychotherapy": Demand.NEVER,
}
"""What each class of information and each sensitivity label demands; unknown ones demand PORTAL."""


class Route(StrEnum):
    MAIL = "mail"
    PORTAL = "portal"


@dataclass(frozen=True, slots=True)
class Way:
    """Send it by this route."""

    route: Route
    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Do not send it now; the code says what is in the way."""

    code: str
    final: bool = False


def demand(classes: Collection[str]) -> Demand:
    return max((DEMANDS.get(each, Demand.PORTAL) for each in classes), default=Demand.RELAY)


def choose(
    classes: Collection[str], *, hop: Hop, onward: Onward, accepts_plain: bool = False
) -> Way | Hold:
    """Return the way that gives each class at least what it demands, or why there is none.

    `accepts_plain`: the person took the warning and prefers mail whose last hop may be in the
    clear (PR-38). It spares the portal where only that hop is in doubt, and nothing else.
    """
    needed = demand(classes)
    if needed is Demand.NEVER:
        return Hold("never_by_mail", final=True)
    if hop is Hop.CLEAR:
        return Hold("tls_unverified")
    if needed is Demand.PORTAL:
        return Way(Route.PORTAL, "its content is only shown on the portal")
    if needed is Demand.ALL_THE_WAY and onward is Onward.OPPORTUNISTIC and accepts_plain:
        return Way(Route.MAIL, "the person prefers mail although its last hop may be in the clear")
    if needed is Demand.ALL_THE_WAY and onward is Onward.OPPORTUNISTIC:
        return Way(Route.PORTAL, "TLS to the recipient's mail server is not enforced")
    return Way(Route.MAIL, "TLS is verified as far as the content demands")
