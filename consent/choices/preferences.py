"""What one person chose: read for the preference page, and written all at once.

Refusals are rows of the ledger as every other no (topics, channels, tracking, a pause, everything);
how often and in which language are choices of their own. A person may be several contacts after a
merge: what is lifted is lifted for all of them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from consent import ledger, precedence
from consent.addresses import FIELD_OF_CHANNEL
from consent.choices import often, topics
from consent.ledger import ConsentInvalid
from consent.models import Choice, Entry, OptOut
from contacts import amending, persons
from contacts.models import Contact

TRACKING = "tracking"
CHANNELS = tuple(FIELD_OF_CHANNEL)
FREQUENCIES = (often.EVERY, *often.DAYS)
PAUSES = {"14": 14, "30": 30, "90": 90}
"""Days that the page offers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """How a person wants to be written to. What stands in the sets is refused."""

    topics_off: frozenset[str] = frozenset()
    channels_off: frozenset[str] = frozenset()
    frequency: str = often.EVERY
    language: str = ""
    measured: bool = True
    paused_until: datetime | None = field(default=None)
    everything_off: bool = False


def of(contact_id: int, *, now: datetime) -> Preferences:
    """Return what stands for this person now."""
    family = persons.ids_of([contact_id])[contact_id]
    noes = [
        one
        for one in OptOut.objects.filter(contact_id__in=family, lifted_at=None)
        if one.until is None or one.until > now
    ]
    chosen = dict(
        Choice.objects.filter(contact_id__in=family, ended_at=None)
        .order_by("received_at")
        .values_list("kind", "value")
    )
    whole = [one for one in noes if not (one.channel or one.purpose or one.topic)]
    return Preferences(
        topics_off=frozenset(one.topic for one in noes if one.topic and not one.channel)
        - {TRACKING},
        channels_off=frozenset(
            one.channel for one in noes if one.channel and not (one.purpose or one.topic)
        ),
        frequency=chosen.get("frequency", often.EVERY),
        language=chosen.get("language", ""),
        measured=not any(one.topic == TRACKING for one in noes),
        paused_until=max((one.until for one in whole if one.until), default=None),
        everything_off=any(one.until is None for one in whole),
    )


@transaction.atomic
def choose(contact_id: int, wanted: Preferences, *, received_by: str, now: datetime) -> int:
    """Make `wanted` stand, pauses and everything-off apart; return how many things changed."""
    _check(wanted)
    precedence.hold_for_withdrawal()
    standing = of(contact_id, now=now)
    offered = {one.key for one in topics.current()}
    act = _Acts(contact_id, received_by, now)
    changed = act.topics(standing.topics_off & offered, wanted.topics_off & offered)
    changed += act.channels(standing.channels_off, wanted.channels_off)
    if standing.measured != wanted.measured:
        changed += act.topics(*_switch(TRACKING, off=not wanted.measured))
    if standing.frequency != wanted.frequency:
        changed += act.choice(Choice.Kind.FREQUENCY, wanted.frequency)
    if wanted.language and standing.language != wanted.language:
        changed += act.choice(Choice.Kind.LANGUAGE, wanted.language)
        act.speak(wanted.language)
    return changed


def pause(contact_id: int, until: datetime, *, received_by: str, now: datetime) -> None:
    """Say no to everything until then; a later pause outlasts an earlier one."""
    if until <= now:
        raise ConsentInvalid("until: give a moment in the future")
    ledger.opt_out(contact_id, until=until, received_by=received_by, now=now)


def resume(contact_id: int, *, received_by: str, now: datetime) -> int:
    """End the person's pauses; a no to everything stays."""
    return sum(
        ledger.opt_in(one, pauses_only=True, received_by=received_by, now=now)
        for one in persons.ids_of([contact_id])[contact_id]
    )


def stop_everything(contact_id: int, *, received_by: str, now: datetime) -> None:
    ledger.opt_out(contact_id, received_by=received_by, now=now)


def start_again(contact_id: int, *, received_by: str, now: datetime) -> int:
    """Take back the no to everything; what was refused by topic or channel stays refused."""
    return sum(
        ledger.opt_in(one, received_by=received_by, now=now)
        for one in persons.ids_of([contact_id])[contact_id]
    )


def refuse_sale(contact_id: int, *, received_by: str, now: datetime) -> None:
    """Keep that the browser said no to sale and sharing (Global Privacy Control)."""
    with transaction.atomic():
        _Acts(contact_id, received_by, now).choice(Choice.Kind.SALE, "off")


def _check(wanted: Preferences) -> None:
    if wanted.frequency not in FREQUENCIES:
        raise ConsentInvalid(f"frequency: use {', '.join(FREQUENCIES)}")
    if wanted.channels_off - set(CHANNELS):
        raise ConsentInvalid(f"channels_off: use {', '.join(CHANNELS)}")
    if len(wanted.language) > 16:
        raise ConsentInvalid("language: give a code such as en or es")


def _switch(topic: str, *, off: bool) -> tuple[frozenset[str], frozenset[str]]:
    """Return what stands and what is wanted, where one topic is turned off or on."""
    there, nothing = frozenset({topic}), frozenset[str]()
    return (nothing, there) if off else (there, nothing)


@dataclass(frozen=True, slots=True)
class _Acts:
    contact_id: int
    received_by: str
    now: datetime

    def topics(self, standing: Collection[str], wanted: Collection[str]) -> int:
        return self._move("topic", standing, wanted)

    def channels(self, standing: Collection[str], wanted: Collection[str]) -> int:
        return self._move("channel", standing, wanted)

    def _move(self, part: str, standing: Collection[str], wanted: Collection[str]) -> int:
        off, on = set(wanted) - set(standing), set(standing) - set(wanted)
        for one in sorted(off):
            scope = self._scope(part, one)
            ledger.opt_out(self.contact_id, **scope, received_by=self.received_by, now=self.now)
        for one in sorted(on):
            for each in self._family():
                ledger.opt_in(
                    each, **self._scope(part, one), received_by=self.received_by, now=self.now
                )
        return len(off) + len(on)

    def _scope(self, part: str, one: str) -> dict[str, Any]:
        return {part: one}

    def choice(self, kind: Choice.Kind, value: str) -> int:
        before = Choice.objects.filter(contact_id__in=self._family(), kind=kind, ended_at=None)
        if value and value in before.values_list("value", flat=True):
            return 0
        before.update(ended_at=self.now)
        row = Choice(contact_id=self.contact_id, kind=kind, value=value, received_at=self.now)
        if value == often.EVERY:
            row.ended_at = self.now
        row.save(force_insert=True)
        ledger.keep([row], Entry.Kind.CHOSE, received_by=self.received_by, now=self.now)
        return 1

    def speak(self, language: str) -> None:
        """Let the record know: templates and forms in that language are chosen by it."""
        if Contact.objects.filter(id=self.contact_id, erased_at=None).exists():
            source = f"{self.received_by}"[:60]
            amending.amend({self.contact_id: {"language": language}}, source=source, now=self.now)

    def _family(self) -> tuple[int, ...]:
        return persons.ids_of([self.contact_id])[self.contact_id]
