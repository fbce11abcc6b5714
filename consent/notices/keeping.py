"""Publish versions of the notice, record who got one, and find who has none (PR-39)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.db import connection, transaction

from audit import actions, trail
from consent import forms
from consent.ledger import ConsentInvalid
from consent.notices.models import Notice, NoticeReceipt
from contacts import persons

NAME = "Notice of Privacy Practices"
PAGE = 50
actions.register("notice.published", ("version", "language"))
actions.register("notice.receipt_recorded", ("notice", "kind", "source"))

# Whoever was merged into somebody else is that person: what any of them got counts.
_WITHOUT = """
select c.id from contacts_contact c
where c.erased_at is null and c.merged_into is null and c.id > %(after)s and not c.deceased
and not exists (
    select from consent_noticereceipt r
    where r.contact_id = c.id and r.kind <> 'not_obtained')
and not exists (
    select from consent_noticereceipt r join contacts_contact m on m.id = r.contact_id
    where m.merged_into = c.id and r.kind <> 'not_obtained')
"""


def publish(text: str, *, language: str, effective_on: date, now: datetime) -> Notice:
    """Add a version of the notice; words that are in force already cannot be published again."""
    if not text.strip():
        raise ConsentInvalid("text: paste the words of the notice")
    with transaction.atomic():
        version = forms.add_version(NAME, language=language, text=text, now=now)
        if Notice.objects.filter(text=version).exists():
            raise ConsentInvalid("text: these words are the latest version already")
        notice = Notice.objects.create(text=version, effective_on=effective_on, created_at=now)
        trail.record(
            "notice.published",
            subject=f"notice:{notice.id}",
            detail={"version": version.number, "language": language},
        )
    return notice


def in_force(on: date, *, language: str = "en") -> Notice | None:
    """Return the version in force on a day, in the language where there is one."""
    rows = Notice.objects.filter(effective_on__lte=on).select_related("text")
    rows = rows.order_by("-effective_on", "-text__number")
    return rows.filter(text__language=language).first() or rows.first()


def record(
    contact_id: int,
    notice: Notice,
    *,
    kind: str,
    given_on: date,
    received_by: str,
    now: datetime,
) -> NoticeReceipt:
    """Record that a person got the notice; the day may lie back, not ahead."""
    if kind not in NoticeReceipt.Kind.values:
        raise ConsentInvalid("kind: say delivered, acknowledged or not_obtained")
    if given_on > now.date():
        raise ConsentInvalid("given_on: this day has not come yet")
    with transaction.atomic():
        made = NoticeReceipt.objects.create(
            contact_id=contact_id,
            notice=notice,
            kind=kind,
            received_by=received_by,
            given_on=given_on,
            recorded_at=now,
        )
        trail.record(
            "notice.receipt_recorded",
            subject=f"contact:{contact_id}",
            detail={"notice": str(notice.id), "kind": kind, "source": received_by},
        )
    return made


def of_person(contact_id: int) -> list[NoticeReceipt]:
    """Return what a person got, the first first."""
    ids = persons.ids_of([contact_id])[contact_id]
    rows = NoticeReceipt.objects.filter(contact_id__in=ids).select_related("notice__text")
    return list(rows.order_by("given_on", "id"))


def without(*, after: int = 0, size: int = PAGE) -> list[int]:
    """Return people who never got a notice, by their ids; an attempt that failed does not count."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_WITHOUT} order by c.id limit %(size)s", {"after": after, "size": size})
        return [id_ for (id_,) in cursor.fetchall()]


def count_without() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"select count(*) from ({_WITHOUT}) as people", {"after": 0})
        return int(cursor.fetchone()[0])


def by_id(notice_id: UUID) -> Notice | None:
    return Notice.objects.filter(id=notice_id).select_related("text").first()
