"""What workflows tell the record of care: written by steps, released in order, read by a cursor.

A row that is about a message waits until it is known what became of the message. Rows get their
numbers when they are released, under a lock: whoever has read up to a number has missed none below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts import tenancy
from crypto.rows import binary_cursor
from messaging.models import Message

SETTLED = [
    Message.State.SENT.value,
    Message.State.REFUSED.value,
    Message.State.FAILED.value,
    Message.State.UNKNOWN.value,
    Message.State.CANCELLED.value,
]
WRITE = b"""
insert into workflows_writeback
    (organisation_id, key, enrolment_id, version_id, contact_id, node, event, about, written_at)
select %b, gen_random_uuid(), a.enrolment_id, a.version_id, a.contact_id, a.node, a.event, a.about,
       %b
from unnest(%b::int8[], %b::uuid[], %b::int8[], %b::text[], %b::text[], %b::text[])
    as a (enrolment_id, version_id, contact_id, node, event, about)
on conflict (enrolment_id, node) do nothing
"""
ANY = b"select exists (select from workflows_writeback where position is null)"
LOCK = b"select pg_advisory_xact_lock(hashtext('workflows_writeback'), %b)"
RELEASE = b"""
with ready as (
    select b.id, m.message_id, row_number() over (order by b.id) as place
    from workflows_writeback b
    left join workflows_move m on m.enrolment_id = b.enrolment_id and m.node = b.about
    left join messaging_message g on g.id = m.message_id
    where b.position is null and (g.id is null or g.state = any(%b))
    order by b.id limit %b
)
update workflows_writeback b set message_id = r.message_id, position = r.place + (
    select coalesce(max(position), 0) from workflows_writeback where organisation_id = %b
)
from ready r where b.id = r.id
"""
READ = b"""
select b.position, b.key, b.contact_id, c.public_id, b.event, b.about, b.written_at, b.node,
       b.version_id, g.state, g.refusal_code, g.channel, g.sent_at, g.public_id
from workflows_writeback b
join contacts_contact c on c.id = b.contact_id and c.erased_at is null
left join messaging_message g on g.id = b.message_id
where """
AFTER = READ + b"b.position > %b order by b.position limit %b"
AMONG = READ + b"b.position = any(%b) order by b.position"
LAST = (
    b"select coalesce(max(position), 0)::int8 from workflows_writeback where organisation_id = %b"
)


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a step wants told."""

    enrolment_id: int
    version_id: UUID
    contact_id: int
    node: str
    event: str
    about: str


@dataclass(frozen=True, slots=True)
class Told:
    """One thing as it is read: the message's part is empty where it is about none."""

    position: int
    key: UUID
    contact_id: int
    public_id: UUID
    event: str
    about: str
    written_at: datetime
    node: str
    version_id: UUID
    state: str | None
    refusal_code: str | None
    channel: str | None
    sent_at: datetime | None
    message: UUID | None


def write(said: Sequence[Said], *, now: datetime) -> None:
    columns = [
        [one.enrolment_id for one in said],
        [one.version_id for one in said],
        [one.contact_id for one in said],
        [one.node for one in said],
        [one.event for one in said],
        [one.about for one in said],
    ]
    with binary_cursor() as cursor:
        cursor.execute(WRITE, [tenancy.current(), now, *columns])


def release(*, limit: int = 1_000) -> int:
    """Number what can be told now, in the caller's transaction; return how many that is."""
    with binary_cursor() as cursor:
        cursor.execute(ANY)
        found = cursor.fetchone()
        if not found or not found[0]:
            return 0
        cursor.execute(LOCK, [tenancy.current()])
        cursor.execute(RELEASE, [SETTLED, limit, tenancy.current()])
        return cursor.rowcount


def read(*, after: int, limit: int) -> list[Told]:
    """Return what was told after a position, in order. What concerned an erased person is gone."""
    with binary_cursor() as cursor:
        cursor.execute(AFTER, [after, limit])
        return [Told(*row) for row in cursor.fetchall()]


def at(positions: Sequence[int]) -> list[Told]:
    """Return what stands at these positions, in order; what concerned an erased person is gone."""
    if not positions:
        return []
    with binary_cursor() as cursor:
        cursor.execute(AMONG, [list(positions)])
        return [Told(*row) for row in cursor.fetchall()]


def last() -> int:
    """Return the last position that was given; 0 before the first."""
    with binary_cursor() as cursor:
        cursor.execute(LAST, [tenancy.current()])
        found = cursor.fetchone()
    return int(found[0]) if found else 0
