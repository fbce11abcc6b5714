"""The demo's story under a virtual clock: entry, first mails, clicks, three days, second mails."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.test import Client

from contacts.segments import columns
from deploy.mailbox_store import Letter, MailboxStore
from workflows import audience, publishing, sample
from workflows.models import WorkflowVersion

LINK = re.compile(r"https?://\S+/m/c/\S+")
READER = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/17.4 Safari/605.1.15"
)
EVERY = 5, 2
"""Of every five people who got the first mail, two follow its link."""
DEADLINE = timedelta(days=3, minutes=1)


@dataclass(frozen=True, slots=True)
class Begun:
    """The published journey and whom its segment found."""

    version: WorkflowVersion
    segment_id: UUID
    members: frozenset[int]


def begin(*, now: datetime) -> Begun:
    """Install the education series, count its segment, and publish it."""
    columns.compact(now=now)
    installed = sample.install(now=now)
    members = audience.members(installed.segment_id, now=now)
    version = publishing.publish(installed.workflow.id, now=now)
    return Begun(version, installed.segment_id, frozenset(members))


def follow_links(letters: Sequence[Letter]) -> int:
    """Click in some of the mails as their readers would: open the address that stands there.

    A reader is nobody to the web server: call it outside of any organisation's scope. Only the
    token in the link says whose it is.
    """
    clicked = 0
    for place, letter in enumerate(letters):
        link = LINK.search(letter.body("plain"))
        if place % EVERY[0] < EVERY[1] and link is not None:
            clicked += _open(link[0])
    return clicked


def _open(address: str) -> int:
    """Follow the link and return 1 where it leads on to a page outside."""
    parts = urlsplit(address)
    reader = Client(HTTP_HOST=parts.netloc, HTTP_USER_AGENT=READER)
    answer = reader.get(parts.path, secure=parts.scheme == "https")
    return int(answer.status_code in (301, 302, 303, 307))


def new_letters(store: MailboxStore, *, seen: Sequence[Letter]) -> list[Letter]:
    known = {one.key for one in seen}
    return [one for one in store.letters() if one.key not in known]
