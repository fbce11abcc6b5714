"""What is known for the messages of one slice: receivers, people's keys, and the table in force."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from messaging import protect
from messaging.protect import Hold, Hop, Onward, Route, Table, Way
from messaging.protection import policy, receivers
from messaging.protection.keys import keeping, signing
from messaging.protection.keys.keeping import Shown
from messaging.protection.receivers import Known
from messaging.protection.wrapping import SUBJECT, Wrapper


@dataclass(slots=True)
class Ways:
    """Answers for each message of a slice without another statement."""

    table: Table
    receivers: Mapping[str, Known]
    keys: Mapping[str, Mapping[str, Shown]]
    now: datetime
    spoilt: set[tuple[str, str]] = field(default_factory=set)
    """Keys that turned out not to work any more (an expired subkey), by address and kind."""
    _signers: dict[tuple[str, str], signing.Signer] = field(default_factory=dict)

    @classmethod
    def nothing(cls) -> Ways:
        return cls(protect.NO_TABLE, {}, {}, datetime.min.replace(tzinfo=UTC))

    def choose(
        self,
        address: str,
        classes: Collection[str],
        *,
        purpose: str,
        hop: Hop,
        onward: Onward,
        plain: bool,
        whole: bool = True,
    ) -> Way | Hold:
        """Choose the way; what does not leave mails `whole` cannot carry encrypted ones."""
        known = self.keys.get(address, ()) if whole else ()
        kinds = {kind for kind in known if (address, kind) not in self.spoilt}
        believed = receivers.onward(
            onward, self.receivers.get(receivers.domain_of(address)), now=self.now
        )
        way = protect.choose(
            classes,
            hop=hop,
            onward=Onward.OPPORTUNISTIC if isinstance(believed, Hold) else believed,
            accepts_plain=plain,
            keys=kinds,
            purpose=purpose,
            table=self.table,
        )
        if isinstance(way, Hold) or not isinstance(believed, Hold):
            return way
        # What its receiver defers waits by every way that leads there; what is not known yet
        # matters only where the last hop decides.
        decides = believed.code == "receiver_defers" or (
            way.route is Route.PORTAL and protect.demand(classes) is protect.Demand.ALL_THE_WAY
        )
        return believed if decides else way

    def wrapper(
        self, route: Route, address: str, *, name: str, sender: str, language: str
    ) -> Wrapper | None:
        """Return how the route encrypts; None where it does not."""
        if route not in (Route.SMIME, Route.PGP):
            return None
        kind = route.value
        by = self._signers.get((kind, sender))
        if by is None:
            by = signing.current(kind, name=name, address=sender, now=self.now)
            self._signers[kind, sender] = by
        subject = SUBJECT.get(language.partition("-")[0], SUBJECT["en"])
        return Wrapper(kind, self.keys[address][kind].material, by.public, by.private, subject)


def of(addresses: Collection[str], *, table: Table | None = None, now: datetime) -> Ways:
    """Return what is known for these addresses; domains not known yet become due.

    `table` is the policy where the caller has it already.
    """
    wanted = set(addresses)
    domains = {receivers.domain_of(one) for one in wanted}
    return Ways(
        table or policy.in_force(),
        receivers.known(domains, now=now),
        keeping.for_addresses(wanted, now=now),
        now,
    )
