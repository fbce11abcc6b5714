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
from marketing.campaigns.models import Campaign, CampaignApproval, Run
from marketing.web.addresses import address
from marketing.web.attention import Kind, Matter, watches
from messaging.models import Answer, Message, Stop, TemplateVersion, Undelivered
from messaging.protection.keys import signing
from workflows import apart
from workflows.models import Pause
from workflows.writing_back import receivers

SEALED_WITHIN = timedelta(minutes=5)
EXPIRY_NEAR = timedelta(days=14)
SIGNING_NEAR = timedelta(days=30)
OVERDUE_AFTER = timedelta(minutes=15)
RECENT = timedelta(days=7)
TRIES = 3
"""Attempts after which a receiver that does not answer well needs a look."""
MOST = 10_000
"""Figures stop here: past it, more is not more urgent."""


def ready() -> None:
    """Importing this module put its questions on the list; views call this to say so."""


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


@watches(Permission.DELIVERY_VIEW)
def stopped_pools(now: datetime) -> Matter | None:
    """What stopped by itself, or after a restore; what a person paused, that person knows."""
    stops = list(Stop.objects.filter(ended_at=None).exclude(cause=Stop.Cause.STAFF))
    holding = [one for one in stops if not one.warning]
    if not stops:
        return None
    if any(one.cause == Stop.Cause.RESTORED for one in holding):
        said = "Nothing is sent: the database is older than what was sent. Compare, then go on."
    elif holding:
        said = "Too many refusals or complaints. The other pools go on."
    else:
        said = "Complaints passed 0.1 %. At 0.3 % marketing stops by itself."
    return Matter(
        len(stops),
        "sending pool needs a look" if len(stops) == 1 else "sending pools need a look",
        said,
        reverse("delivery-out"),
        "See what holds sending back",
        "bad" if holding else "warn",
    )


@watches(Permission.WORKFLOWS_VIEW)
def braked_workflows(now: datetime) -> Matter | None:
    """What ran away and stopped by itself; what a person paused, that person knows."""
    stood = Pause.objects.filter(resumed_at=None).exclude(why="")
    ids = list(stood.values_list("workflow_id", flat=True)[:MOST])
    return _matter(
        len(ids),
        ("workflow ran away and was paused", "workflows ran away and were paused"),
        "Far more came in, or far more was to be sent, than is normal. Nobody was touched beyond"
        " that: look at why, then resume it or close it.",
        reverse("workflow", args=ids) if len(ids) == 1 else reverse("workflows"),
        "bad",
    )


@watches(Permission.WORKFLOWS_VIEW)
def stuck_people(now: datetime) -> Matter | None:
    """Whom a turn of the runner could not work off; the others go on."""
    return _matter(
        sum(one.people for one in apart.standing()),
        ("person is stuck in a workflow", "people are stuck in workflows"),
        "Their step breaks with an error. They stay where they are and are tried again each hour.",
        reverse("workflow-brakes"),
        "bad",
    )


@watches(Permission.DELIVERY_VIEW)
def untold_write_backs(now: datetime) -> Matter | None:
    """Receivers that refuse, or that what waits for them does not get through to."""
    return _matter(
        sum(1 for one in receivers.standing() if one.aside or one.receiver.attempts >= TRIES),
        ("receiver does not take write-backs", "receivers do not take write-backs"),
        "What workflows tell the record of care is kept. Look at why, then send it again.",
        reverse("write-backs"),
        "bad",
    )


@watches(Permission.MESSAGES_VIEW)
def failed_messages(now: datetime) -> Matter | None:
    since = now - RECENT
    failed = Message.objects.filter(state=Message.State.FAILED, created_at__gte=since)
    return _matter(
        failed[:MOST].count(),
        ("message failed this week", "messages failed this week"),
        "The mail server refused for good, or nothing could be rendered.",
        _of_state("failed"),
        "bad",
    )


@watches(Permission.MESSAGES_VIEW)
def undelivered_messages(now: datetime) -> Matter | None:
    """What said something of a person and did not arrive: a person decides (EM-29)."""
    return _matter(
        Undelivered.objects.filter(closed_at=None)[:MOST].count(),
        ("person was not reached", "people were not reached"),
        "Verify the address by another channel; nothing follows to a new one by itself.",
        reverse("undelivered"),
        "bad",
    )


@watches(Permission.MESSAGES_VIEW)
def unclear_messages(now: datetime) -> Matter | None:
    unclear = Message.objects.filter(state=Message.State.UNKNOWN)
    return _matter(
        unclear[:MOST].count(),
        ("message has an unclear fate", "messages have an unclear fate"),
        "They were being handed over when something broke, and are never sent again blindly.",
        _of_state("unknown"),
        "bad",
    )


@watches(Permission.MESSAGES_VIEW)
def overdue_messages(now: datetime) -> Matter | None:
    overdue = Message.objects.filter(
        state__in=[Message.State.QUEUED, Message.State.DEFERRED], due_at__lt=now - OVERDUE_AFTER
    )
    return _matter(
        overdue[:MOST].count(),
        ("message is overdue", "messages are overdue"),
        "They should have left over a quarter of an hour ago: are the worker and mail server up?",
        _of_state("queued"),
        "warn",
    )


@watches(Permission.SEGMENTS_VIEW)
def broken_segments(now: datetime) -> Matter | None:
    broken = Segment.objects.filter(status=Segment.Status.INVALID, archived_at=None)
    ids = list(broken.order_by("-following__frozen_at").values_list("pk", flat=True)[:MOST])
    return _matter(
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
    return _matter(
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
    return _matter(
        soon[:MOST].count(),
        ("authorization expires within two weeks", "authorizations expire within two weeks"),
        "After that day these people are not reached for the purposes that they signed for.",
        address("consent"),
        "info",
    )


@watches(Permission.IMPORTS_VIEW)
def refused_imports(now: datetime) -> Matter | None:
    refused = ImportRun.objects.filter(state=ImportRun.State.REFUSED, started_at__gte=now - RECENT)
    return _matter(
        refused.count(),
        ("import was refused this week", "imports were refused this week"),
        "Nothing of such a file was written; the run names each line that is wrong.",
        address("imports"),
        "warn",
    )


def _of_state(state: str) -> str:
    page = address("messages")
    return f"{page}?state={state}" if page else ""


def _matter(count: int, words: tuple[str, str], text: str, where: str, kind: Kind) -> Matter | None:
    if not count:
        return None
    return Matter(count, words[0] if count == 1 else words[1], text, where, "Look", kind)


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


@watches(Permission.TEMPLATES_APPROVE)
def campaigns_to_approve(now: datetime) -> Matter | None:
    """Campaigns that somebody asked another person to look at."""
    count = CampaignApproval.objects.filter(verdict=CampaignApproval.Verdict.WAITING).count()
    if not count:
        return None
    return Matter(
        count,
        "campaign waits for approval" if count == 1 else "campaigns wait for approval",
        "Nothing goes out until another person than its maker approves it.",
        reverse("campaigns"),
        "Look at them",
    )


@watches(Permission.WORKFLOWS_EDIT)
def stopped_campaigns(now: datetime) -> Matter | None:
    """Campaigns that were to go out and wrote to nobody, because something forbade it."""
    stopped = Run.objects.filter(state=Run.State.STOPPED, ended_at__gt=now - RECENT)
    count = stopped.filter(campaign__state=Campaign.State.DRAFT).count()
    if not count:
        return None
    return Matter(
        count,
        "campaign was stopped" if count == 1 else "campaigns were stopped",
        "Its time came and nobody was written to; its page says why.",
        reverse("campaigns"),
        "See why",
        kind="bad",
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
