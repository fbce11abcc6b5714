"""By which protected way may this message go? A pure choice; nothing ever goes in the clear.

A mail has two hops: from here to the relay, which the transport verifies for itself, and from the
relay to the person's own mail server, which only the relay can enforce. What a message says of the
person decides how much of that way must be known to be protected (`DEMANDS`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
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
    PER_DOMAIN = "per_domain"
    """The relay follows the policy that we write for each domain; see `protection.receivers`."""
    OPPORTUNISTIC = "opportunistic"
    """The relay tries TLS and falls back to the clear: good enough for no clinical fact."""


FORESEEN: Mapping[str, str] = {
    "mail": "Mail over TLS",
    "smime": "S/MIME",
    "pgp": "OpenPGP",
    "portal": "Portal",
    "looked_up": "Being looked up",
    "blocked": "Blocked",
}
"""What a forecast says of a message to one person, with its label: a route, or why none."""


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
    SMIME = "smime"
    PGP = "pgp"
    PORTAL = "portal"
    TEXT = "text"


class By(StrEnum):
    """A way that a policy allows, from the one that protects most to the one that does least."""

    PORTAL = "portal"
    SMIME = "smime"
    PGP = "pgp"
    TLS = "tls"
    """Mail over verified TLS as far as the recipient's server."""
    RELAY = "relay"
    """Mail that is protected as far as the relay; what allows it allows everything else too."""


LABELS: Mapping[By, str] = {
    By.PORTAL: "Portal",
    By.SMIME: "S/MIME",
    By.PGP: "OpenPGP",
    By.TLS: "Verified TLS",
    By.RELAY: "TLS to the relay",
}
USUAL: Mapping[Demand, tuple[By, ...]] = {
    Demand.RELAY: (By.RELAY,),
    Demand.ALL_THE_WAY: (By.SMIME, By.PGP, By.TLS, By.PORTAL),
    Demand.PORTAL: (By.PORTAL,),
    Demand.NEVER: (),
}
"""The table of an organisation that has set none."""
STRICTEST: Mapping[Demand, frozenset[By]] = {
    Demand.RELAY: frozenset(By),
    Demand.ALL_THE_WAY: frozenset(By) - {By.RELAY},
    Demand.PORTAL: frozenset(By) - {By.RELAY},
    Demand.NEVER: frozenset(),
}
"""What a table may allow at most: nothing about a person's health goes in the clear, ever."""
EVERY = "*"


@dataclass(frozen=True, slots=True)
class Table:
    """An organisation's allowed ways, in order, by purpose (or every purpose) and class."""

    rows: Mapping[tuple[str, str], tuple[By, ...]] = field(default_factory=dict)

    def ways(self, purpose: str, name: str) -> tuple[By, ...]:
        usual = USUAL[DEMANDS.get(name, Demand.PORTAL)]
        return self.rows.get((purpose, name), self.rows.get((EVERY, name), usual))

    def allows(self, purpose: str, name: str) -> frozenset[By]:
        ways = self.ways(purpose, name)
        return frozenset(By) if By.RELAY in ways else frozenset(ways)

    def faults(self) -> list[str]:
        """Return a sentence for everything that a table may not say."""
        found = []
        for (_, name), ways in self.rows.items():
            most = STRICTEST[DEMANDS.get(name, Demand.PORTAL)]
            if beyond := [LABELS[one] for one in ways if one not in most]:
                found.append(f"{name}: {', '.join(beyond)} cannot be allowed for it.")
            elif most and not ways:
                found.append(f"{name}: allow at least one way; the portal always works.")
            if len(set(ways)) < len(ways):
                found.append(f"{name}: each way once.")
        return found

    def weakens(self, before: Table) -> bool:
        """Say whether anything may go by a way that it might not go by before."""
        purposes = {purpose for table in (self, before) for purpose, _ in table.rows} | {EVERY}
        names = {name for table in (self, before) for _, name in table.rows}
        return any(
            not self.allows(purpose, name) <= before.allows(purpose, name)
            for purpose in purposes
            for name in names
        )


NO_TABLE = Table()


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


def candidates(classes: Collection[str], *, purpose: str, table: Table) -> list[By]:
    """Return the ways that every class allows, in the order of the strictest one."""
    asked = sorted(classes) or ["engagement"]
    order = min((table.ways(purpose, one) for one in asked), key=_openness)
    allowed = frozenset.intersection(*(table.allows(purpose, one) for one in asked))
    return [one for one in order if one in allowed]


def _openness(ways: Sequence[By]) -> tuple[bool, int]:
    return By.RELAY in ways, len(ways)


def choose(
    classes: Collection[str],
    *,
    hop: Hop,
    onward: Onward,
    accepts_plain: bool = False,
    keys: Collection[str] = (),
    purpose: str = "",
    table: Table = NO_TABLE,
) -> Way | Hold:
    """Return the first way of the table that can be gone now, or why there is none.

    `keys`: the kinds of key (`smime`, `pgp`) that are known for the address. `accepts_plain`: the
    person took the warning and prefers mail whose last hop may be in the clear (PR-38). It spares
    the portal where only that hop is in doubt, and nothing else.
    """
    if demand(classes) is Demand.NEVER or hop is Hop.CLEAR:
        never = demand(classes) is Demand.NEVER
        return Hold("never_by_mail", final=True) if never else Hold("tls_unverified")
    plain = accepts_plain and onward is not Onward.ENFORCED
    for by in candidates(classes, purpose=purpose, table=table):
        if by is By.PORTAL:
            return Way(Route.PORTAL, _PORTAL[demand(classes) is Demand.PORTAL])
        if by.value in keys:
            return Way(Route(by.value), "encrypted to the person's own key")
        if by is By.RELAY or (by is By.TLS and onward is Onward.ENFORCED):
            return Way(Route.MAIL, "TLS is verified as far as the content demands")
        if by is By.TLS and plain:
            said = "the person prefers mail although its last hop may be in the clear"
            return Way(Route.MAIL, said)
    return Hold("no_protected_way", final=True)


def choose_text(classes: Collection[str], *, hop: Hop, plain: bool) -> Way | Hold:
    """Say whether a text message may carry this; carriers and whoever holds the phone read it.

    `plain`: the person took the warning and wants texts all the same (PR-38), which no more than
    spares what mail would need beyond the relay; what belongs on the portal never goes by text.
    """
    asked = demand(classes)
    if asked >= Demand.PORTAL:
        return Hold("never_by_text", final=True)
    if asked is Demand.ALL_THE_WAY and not plain:
        return Hold("plain_not_agreed", final=True)
    if hop is Hop.CLEAR:
        return Hold("tls_unverified")
    return Way(Route.TEXT, "it says nothing that an open channel may not carry")


_PORTAL = {
    True: "its content is only shown on the portal",
    False: "TLS to the recipient's mail server is not enforced",
}
