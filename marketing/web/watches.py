"""The questions behind Home's list, one for each thing that goes wrong quietly."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.urls import reverse

from accounts import tenancy
from accounts.models import ApiKey, Organisation, User
from accounts.roles import Permission
from audit.models import Batch, Entry
from consent.choices import replies
from consent.models import Authorization
from consent.retention import keeping as retention
from contacts.models import ImportRun
from contacts.segments import approvals
from contacts.segments.models import Segment
from marketing.web import watches_of_sending, watches_of_work
from marketing.web.addresses import address
from marketing.web.attention import MOST, Matter, told, watches
from messaging.models import Answer, TemplateVersion
from messaging.protection.keys import signing

SEALED_WITHIN = timedelta(minutes=5)
EXPIRY_NEAR = timedelta(days=14)
SIGNING_NEAR = timedelta(days=30)
RECENT = timedelta(days=7)

__all__ = ["ready", "watches_of_sending", "watches_of_work"]


def ready() -> None:
    """Importing this module put all questions on the list; views call this to say so."""


@watches(Permission.CONSENT_RECORD)
def unread_replies(now: datetime) -> Matter | None:
    """What people wrote back and nobody read; their messages wait for it."""
    count = replies.waiting().count()
    if not count:
        return None
    return Matter(
        count,
        "reply waits to be read" if count == 1 else "replies wait to be read",
        "Each may be a no; messages to whoever wrote wait until somebody decides.",
        reverse("replies"),
        "Read the replies",
    )


@watches(Permission.ANSWERS_HANDLE)
def unread_answers(now: datetime) -> Matter | None:
    """What people wrote back and nobody has opened; who may handle answers may read all of it."""
    count = Answer.objects.filter(done_at=None, read_at=None).count()
    if not count:
        return None
    return Matter(
        count,
        "answer from a person is unread" if count == 1 else "answers from people are unread",
        "They wrote back on the portal or by e-mail, and nobody has opened it.",
        reverse("inbox"),
        "Open the inbox",
    )


@watches(Permission.PROTECTION_MANAGE)
def signing_ends(now: datetime) -> Matter | None:
    """A signing certificate of an authority that is about to end, or did."""
    days = [
        left
        for one in signing.standing()
        if not one.made_here and (left := one.days_left(now=now)) is not None
    ]
    if not days or min(days) > SIGNING_NEAR.days:
        return None
    left = min(days)
    return Matter(
        max(left, 0),
        "day until the signing certificate ends"
        if left == 1
        else "days until the signing certificate ends",
        "Encrypted mail is signed with it. After its end, one made here takes its place, which "
        "mail programs do not know."
        if left >= 0
        else "The signing certificate has ended; one made here signs, which mail programs do not "
        "know.",
        reverse("signing"),
        "Bring the new one",
        "warn" if left >= 0 else "bad",
    )


@watches(Permission.CONTACTS_ERASE)
def papers_past_six_years(now: datetime) -> Matter | None:
    """Proofs of consent that need not be kept any longer; nothing goes by itself."""
    count = sum(one.offered for one in retention.standing(on=now.date()))
    if not count:
        return None
    return Matter(
        count,
        "paper may be purged" if count == 1 else "papers may be purged",
        "Proofs of consent whose six years are over (45 CFR 164.530(j)).",
        reverse("consent-retention"),
        "Look at them",
        "info",
    )


@watches(Permission.TRAIL_VIEW)
def unsealed_trail(now: datetime) -> Matter | None:
    """Entries that the sealer should have reached by now."""
    last = Batch.objects.order_by("-number").values_list("epoch", "last_txid", "last_id").first()
    waiting = Entry.objects.filter(at__lt=now - SEALED_WITHIN)
    if last is not None:
        waiting = waiting.filter(id__gt=last[2])
    count = waiting[:10_000].count()
    if not count:
        return None
    return Matter(
        count,
        "trail entry waits for its seal" if count == 1 else "trail entries wait for their seal",
        f"They are older than {SEALED_WITHIN.seconds // 60} minutes: is the scheduler running?",
        reverse("trail"),
        "Open the trail",
        "bad",
    )


@watches(Permission.KEYS_MANAGE)
def expiring_keys(now: datetime) -> Matter | None:
    soon = ApiKey.objects.filter(
        revoked_at=None, expires_at__gt=now, expires_at__lte=now + EXPIRY_NEAR
    )
    if not (count := soon.count()):
        return None
    return Matter(
        count,
        "API key expires within two weeks" if count == 1 else "API keys expire within two weeks",
        "The machine that uses one stops being heard on that day.",
        reverse("api-keys"),
        "Make new keys",
    )


@watches(Permission.STAFF_MANAGE)
def nobody_to_repair(now: datetime) -> Matter | None:
    """One administrator alone cannot be helped when the authenticator is lost."""
    count = User.objects.filter(is_active=True, role="administrator").count()
    if count != 1:
        return None
    return Matter(
        1,
        "administrator only",
        "If that one loses the authenticator, nobody can invite anyone again. Add a second.",
        reverse("staff"),
        "Invite one",
        "info",
    )


@watches(Permission.SEGMENTS_VIEW)
def broken_segments(now: datetime) -> Matter | None:
    broken = Segment.objects.filter(status=Segment.Status.INVALID, archived_at=None)
    ids = list(broken.order_by("-following__frozen_at").values_list("pk", flat=True)[:MOST])
    return told(
        len(ids),
        ("segment is broken", "segments are broken"),
        "Something that is referred to is gone. Nothing is sent, and the members stay as they were"
        " until it is repaired.",
        reverse("segment", args=ids) if len(ids) == 1 else address("segments"),
        "bad",
    )


@watches(Permission.TEMPLATES_APPROVE)
def waiting_templates(now: datetime) -> Matter | None:
    waiting = TemplateVersion.objects.filter(approval=None, template__archived_at=None)
    return told(
        waiting.count(),
        ("version waits for approval", "versions wait for approval"),
        "Nobody approves their own.",
        address("templates"),
        "info",
    )


@watches(Permission.CONSENT_VIEW)
def expiring_authorizations(now: datetime) -> Matter | None:
    soon = Authorization.objects.filter(
        revoked_at=None,
        expires_on__gte=now.date(),
        expires_on__lte=(now + EXPIRY_NEAR).date(),
    )
    return told(
        soon[:MOST].count(),
        ("authorization expires within two weeks", "authorizations expire within two weeks"),
        "After that day these people are not reached for the purposes that they signed for.",
        address("consent"),
        "info",
    )


@watches(Permission.IMPORTS_VIEW)
def refused_imports(now: datetime) -> Matter | None:
    refused = ImportRun.objects.filter(state=ImportRun.State.REFUSED, started_at__gte=now - RECENT)
    return told(
        refused.count(),
        ("import was refused this week", "imports were refused this week"),
        "Nothing of such a file was written; the run names each line that is wrong.",
        address("imports"),
        "warn",
    )


@watches(Permission.SEGMENTS_APPROVE)
def segments_to_approve(now: datetime) -> Matter | None:
    """Sensitive segments that wait for a second person; nothing is sent to them meanwhile."""
    waiting = list(approvals.waiting())
    if not waiting:
        return None
    one = len(waiting) == 1
    return Matter(
        len(waiting),
        "sensitive segment waits for approval" if one else "sensitive segments wait for approval",
        "Nothing is sent to it until a second person has looked at what it asks.",
        reverse("segment", kwargs={"segment_id": waiting[0].segment_id}),
        "Look at it" if one else "Look at the oldest",
    )


@watches(Permission.SEGMENTS_EDIT)
def segments_nobody_asked_about(now: datetime) -> Matter | None:
    """Sensitive segments that nobody may send to and nobody asked a second person about: a field
    or a code group that they name may have got its label long after they were saved."""
    asked = {one.segment_id for one in approvals.waiting()}
    still = Segment.objects.filter(
        awaits_approval=True, archived_at=None, status=Segment.Status.VALID
    )
    ids = list(still.exclude(pk__in=asked).order_by("created_at").values_list("pk", flat=True))
    return told(
        len(ids),
        ("sensitive segment needs an approval", "sensitive segments need an approval"),
        "Nothing is sent to a segment that reads a sensitive label until a second person agrees. "
        "Ask for that on its page.",
        reverse("segment", args=ids) if len(ids) == 1 else address("segments"),
        "warn",
    )


@watches(Permission.ORGANISATION_MANAGE)
def no_postal_address(now: datetime) -> Matter | None:
    """Commercial mail must show one (CS-05): no version of any is made without."""
    if Organisation.objects.get(id=tenancy.current()).postal_address.strip():
        return None
    return Matter(
        1,
        "postal address is missing",
        "Commercial mail must show where you are; none can be made ready until it is known.",
        reverse("organisation"),
        "Write it down",
        kind="bad",
    )
