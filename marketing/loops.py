"""The loops: each finds its due rows and works them off, for every organisation in turn."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from datetime import datetime

from django.conf import settings
from django.db import transaction

import audit.seal
from accounts import sessions, tenancy, throttle
from audit.actor import Actor, acting_as
from contacts import events, sweeping
from contacts.importing import work as imports
from contacts.importing.turns import Lane
from contacts.merge import proposing
from contacts.segments import columns, gathering, membership, told
from contacts.segments.live import feed, follow, touches
from marketing import dispatching
from marketing.campaigns import running as campaigns
from messaging import sender, settling
from messaging.hearing import mailbox, visits
from messaging.pools import facts, fencing, guarding, lanes
from messaging.portal import carriers, codes
from messaging.preflight import keeping as preflight
from messaging.protection import looking, receivers
from workflows import runner, triggers, writing_back
from workflows.brakes import tally
from workflows.contests import deciding
from workflows.simulate import keeping
from workflows.webhooks import delivering
from workflows.writing_back import pushing

logger = logging.getLogger(__name__)

Loop = Callable[[datetime], int]
"""Does one batch of the current organisation's due work; returns how much that was."""

BUDGET = 20.0
"""Seconds after which a loop begins no further round; what is left waits for the next tick."""
TURN = 2.0
"""Seconds for one organisation in each round: a large one keeps a small one waiting no longer."""
AT_ONCE = 500
"""People who are moved on in one go, right after what moves them was heard."""
SHORT = {"live": 1.0, "triggers": 1.0, "imports_beside": 1.0, "codes": 1.0}
"""The same for loops that answer promptly: the next look is never more than a second away. And for
the helper of an import, so that what else is due comes between."""


def run(name: str, *, now: datetime) -> None:
    """Run one loop for every organisation. One's failure does not keep the others waiting."""
    if name in WHOLE:
        WHOLE[name](now)
        return
    end = time.monotonic() + BUDGET
    waiting = tenancy.organisation_ids()
    while waiting:
        waiting = [one for one in waiting if _has_more(one, name, now=now)]
        if name in SHORT or time.monotonic() >= end:
            return


def _has_more(organisation_id: int, name: str, *, now: datetime) -> bool:
    try:
        return run_for(organisation_id, name, now=now)
    except Exception:
        logger.exception("loop %s failed for organisation %s", name, organisation_id)
        return False


def run_for(organisation_id: int, name: str, *, now: datetime) -> bool:
    """Run one loop until nothing is due or the organisation's turn is over; say whether more is."""
    end = time.monotonic() + SHORT.get(name, TURN)
    with tenancy.acting_for(organisation_id), acting_as(Actor("system", name)):
        while LOOPS[name](now):
            if time.monotonic() >= end:
                return True
    return False


def _triggers(now: datetime) -> int:
    """Go on only behind a full batch: under a stream of events there is always one more, and whom
    the last ones woke would wait until the turn is over. What comes meanwhile rings again.
    """
    heard = triggers.run_once(now=now)
    return heard.events if heard.events >= triggers.LIMIT else 0


def _runner(now: datetime) -> int:
    return runner.run_once(now=now).claimed


def _react(now: datetime) -> int:
    """Move on who was just woken or let in, before any backlog: one batch, ticks do the rest."""
    runner.run_once(now=now, limit=AT_ONCE, newest=True)
    return 0


def _codes(now: datetime) -> int:
    """Hand over the one-time codes that somebody waits for in front of the portal."""
    if not codes.due(now=now) or fencing.check(now=now):
        return 0
    with ExitStack() as open_:
        mails, texts = (
            open_.enter_context(closing(carrier)) if carrier is not None else None
            for carrier in (sender.carrier(facts.of(one)) for one in _CODES_BY)
        )
        return codes.send_due(carriers.usual(mails, texts=texts), now=now)


_CODES_BY = (lanes.TRANSACTIONAL, lanes.TEXTS)


def _receivers(now: datetime) -> int:
    """Look at the mail servers of the domains that were written to."""
    world = looking.world(settings.DNS_SERVER, settings.DNS_PORT, sample=settings.SAMPLE)
    return receivers.run_once(world=world, now=now) if world else 0


def _guard(now: datetime) -> int:
    guarding.look(now=now)
    return 0


def _domains(now: datetime) -> int:
    """Look at the sending domains once a day; the sample sends to nobody outside."""
    if not settings.SAMPLE:
        preflight.run_once(now=now)
    return 0


def _reconcile(now: datetime) -> int:
    return settling.run_once(now=now)


def _live(now: datetime) -> int:
    """Go on only behind a full look, for the same reason: another organisation's members, and whom
    the last ones let in, would wait until the turn is over.
    """
    followed = follow.run_once(now=now)
    return followed if followed >= feed.LOOK else 0


def _memberships(now: datetime) -> int:
    touches.forget_old(now=now)
    return membership.refresh_due(now=now)


def _compact(now: datetime) -> int:
    folded = columns.compact(now=now)
    gathering.gather()
    return folded


def _imports(now: datetime) -> int:
    return imports.run_once(now=now)


def _imports_beside(now: datetime) -> int:
    """Make ready the next part of an import beside the worker that has it."""
    return imports.run_once(now=now, lane=Lane.SECOND)


def _campaigns(now: datetime) -> int:
    return campaigns.run_once(now=now)


def _webhooks(now: datetime) -> int:
    return delivering.run_once(now=now)


def _contests(now: datetime) -> int:
    deciding.decide_due(now=now)
    return 0


def _write_backs(now: datetime) -> int:
    with transaction.atomic():
        return writing_back.release()


def _told(now: datetime) -> int:
    return pushing.run_once(now=now)


def _simulations(now: datetime) -> int:
    return keeping.run_once(now=now)


def _seal(now: datetime) -> int:
    audit.seal.run_once(now=now)
    return 0  # it goes on until nothing is left by itself


def _partitions(now: datetime) -> int:
    events.ensure_partitions(now=now)
    return 0


def _sweep(now: datetime) -> int:
    sessions.sweep(now=now)
    throttle.sweep(now=now)
    guarding.sweep(now=now)
    told.forget(now=now)
    visits.forget_agents(now=now)
    tally.forget_old(now=now)
    return 0


def _visits(now: datetime) -> int:
    return visits.run_once(now=now)


def _fields(now: datetime) -> int:
    return sweeping.sweep(now=now)


def _duplicates(now: datetime) -> int:
    if proposing.is_due(now=now):
        proposing.seek(now=now)
    return 0


def _mailbox(now: datetime) -> int:
    """Read the mailbox of the whole installation; each mail says whose it is."""
    if not settings.IMAP_HOST:
        return 0
    account = mailbox.Account(
        settings.IMAP_HOST,
        settings.IMAP_USER,
        settings.IMAP_PASSWORD,
        settings.IMAP_FOLDER,
        settings.IMAP_PORT,
    )
    with mailbox.opened(account) as opened:
        return mailbox.read(opened, now=now)


def _dispatch(now: datetime) -> int:
    dispatching.run(now)
    return 0


WHOLE: Mapping[str, Loop] = {"mailbox": _mailbox, "dispatch": _dispatch}
"""Loops that are not one organisation's, or that choose by themselves whose turn it is."""
LOOPS: Mapping[str, Loop] = {
    "triggers": _triggers,
    "runner": _runner,
    "react": _react,
    "receivers": _receivers,
    "codes": _codes,
    "guard": _guard,
    "reconcile": _reconcile,
    "domains": _domains,
    "live": _live,
    "memberships": _memberships,
    "compact": _compact,
    "campaigns": _campaigns,
    "imports": _imports,
    "imports_beside": _imports_beside,
    "simulations": _simulations,
    "contests": _contests,
    "webhooks": _webhooks,
    "write_backs": _write_backs,
    "write_backs_told": _told,
    "seal": _seal,
    "partitions": _partitions,
    "sweep": _sweep,
    "visits": _visits,
    "duplicates": _duplicates,
    "fields": _fields,
}
