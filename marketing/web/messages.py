"""Messages: which went out, which did not, and of each one why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import escape, linebreaks
from django.views.decorators.http import require_POST, require_safe

from accounts.guard import requires, session_of, staff_of
from accounts.models import User
from accounts.roles import Permission
from audit import trail
from consent import policy
from contacts.models import Contact, Event
from marketing.web.segment_sight import sees_clinical
from messaging import evidence, reasons
from messaging.answers import reading as answers
from messaging.lines import keeping
from messaging.models import Message, Pickup, Returned, Transition
from messaging.pools import lanes
from messaging.portal import pickup
from messaging.portal.frame import framed

PAGE = 50
TABS = (
    ("", "All"),
    ("queued", "Waiting"),
    ("paused", "Paused"),
    ("sent", "Sent"),
    ("deferred", "To be tried again"),
    ("refused", "Not permitted"),
    ("failed", "Failed"),
    ("unknown", "Unclear"),
)
KINDS = {
    "sent": "ok",
    "queued": "plain",
    "paused": "warn",
    "claimed": "plain",
    "handing_over": "plain",
    "deferred": "warn",
    "refused": "plain",
    "cancelled": "plain",
    "failed": "bad",
    "unknown": "bad",
}
ROUTES = {
    "mail": "By mail, over verified TLS",
    "smime": "By mail, encrypted to the person's certificate (S/MIME)",
    "pgp": "By mail, encrypted to the person's OpenPGP key",
    "portal": "Picked up from the portal; the mail itself said nothing",
    "text": "By text message, which nothing protects on its way",
}


@require_safe
@requires(Permission.MESSAGES_VIEW)
def messages(request: HttpRequest) -> HttpResponse:
    """List the newest messages; nothing is counted."""
    state = request.GET.get("state", "")
    user = staff_of(request)
    rows = _chosen(request, state)
    if beyond := not sees_clinical(user):
        # One line for each message is a count of people, to whom small ones are not told (PR-40).
        rows = rows.filter(classes__contained_by=sorted(user.data_classes))
    page = list(rows[: PAGE + 1])
    contacts = _people(page, user)
    tabs = [
        {"label": label, "address": f"?state={code}" if code else "?", "here": code == state}
        for code, label in TABS
    ]
    context = {
        "rows": [_row(row, contacts, user) for row in page[:PAGE]],
        "tabs": tabs,
        "state": state,
        "beyond": beyond,
        "first": f"?state={state}" if "before" in request.GET else "",
        "next": f"?state={state}&before={page[PAGE - 1].pk}" if len(page) > PAGE else "",
    }
    return render(request, "messaging/messages.html", context)


def _chosen(request: HttpRequest, state: str) -> QuerySet[Message]:
    rows = Message.objects.select_related("version__template").order_by("-id")
    if state:
        rows = rows.filter(state=state)
    before = request.GET.get("before", "")
    return rows.filter(id__lt=int(before)) if before.isdigit() else rows


def _within(row: Message, user: User) -> bool:
    """Whether the role may know that this person got this: the name alone can be a diagnosis."""
    return set(row.classes) <= user.data_classes


def _people(rows: list[Message], user: User) -> dict[int, UUID]:
    """Return the public ids of those whom the role may join to their messages."""
    ids = {row.contact_id for row in rows if _within(row, user)}
    return dict(Contact.objects.filter(id__in=ids).values_list("id", "public_id"))


def _row(row: Message, contacts: dict[int, UUID], user: User) -> dict[str, Any]:
    within = _within(row, user)
    return {
        "message": row,
        "within": within,
        "contact": contacts.get(row.contact_id) if within else None,
        "kind": KINDS[row.state],
        "reason": reasons.explain(row.refusal_code),
    }


@require_safe
@requires(Permission.MESSAGES_VIEW)
def message(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one message: why it was sent or not, and everything that happened to it."""
    row = get_object_or_404(
        Message.objects.select_related("version__template"), public_id=public_id
    )
    user, zone = staff_of(request), session_of(request).organisation.zone
    trail.record("message.viewed", subject=f"message:{row.pk}", detail={"purpose": "message-page"})
    context = {
        "message": row,
        "kind": KINDS[row.state],
        "why": why(row),
        "within": _within(row, user),
        "contact": _people([row], user).get(row.contact_id),
        "returned": Returned.objects.filter(message_id=row.pk).order_by("received_at"),
        "steps": sorted(_steps(row, zone=zone), key=lambda step: step.at),
        "route": ROUTES.get(row.route, ""),
        "line": keeping.of_messages([row]).get(row.line or 0),
        "waiting": (waiting := Pickup.objects.filter(message_id=row.pk).first()),
        "may_recall": user.may(Permission.MESSAGES_SEND)
        and waiting is not None
        and waiting.recalled_at is None,
        "answers": answers.count(row),
        "may_read_answers": _may_read_answers(row, user),
        "may_read": bool(row.merge) and _within(row, user),
    }
    return render(request, "messaging/one_message.html", context)


@require_POST
@requires(Permission.MESSAGES_SEND)
def recall(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take a message back from the portal."""
    row = get_object_or_404(Message, public_id=public_id)
    taken = pickup.recall(row, now=timezone.now())
    if taken is not None and taken.opened_at is None:
        notices.success(request, "Taken back before it was read. Nobody can open it any more.")
    elif taken is not None:
        notices.warning(request, "Taken back, but it was read before. Nobody can open it again.")
    else:
        notices.info(request, "It does not wait on the portal, or was taken back already.")
    return redirect("message", public_id)


def _may_read_answers(row: Message, user: User) -> bool:
    return answers.may_read(row, user.data_classes)


@require_safe
@requires(Permission.MESSAGES_VIEW)
def answered(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show what the person wrote back."""
    row = get_object_or_404(
        Message.objects.select_related("version__template"), public_id=public_id
    )
    if not _may_read_answers(row, staff_of(request)):
        raise PermissionDenied
    context = {"message": row, "answers": answers.of_message(row)}
    context["may_handle"] = staff_of(request).may(Permission.ANSWERS_HANDLE)
    return render(request, "messaging/answers.html", context)


@dataclass(frozen=True, slots=True)
class Why:
    """The answer to the page's question, in its first lines."""

    title: str
    sentence: str
    remedy: str = ""
    code: str = ""
    decided_at: datetime | None = None
    authorization: str = ""


def why(row: Message) -> Why:
    """Return why the message was sent, or why it was not."""
    reason = reasons.explain(row.refusal_code)
    titles = {
        "sent": "Sent, because it was permitted",
        "refused": "Not sent, because it was not permitted",
        "failed": "Not sent, because it failed",
        "unknown": "It is not clear whether it arrived",
        "deferred": "Not sent yet",
        "queued": "Not sent yet: it waits for its time",
        "cancelled": "Not sent: it was cancelled",
        "paused": "Not sent yet: somebody paused where it comes from",
    }
    title = titles.get(row.state, "On its way")
    if reason is not None:
        return Why(title, reason.sentence, reason.remedy, reason.code)
    permit = row.permit or {}
    authorization = permit.get("authorization")
    granted = policy.Permit(
        permit.get("basis", row.purpose), UUID(authorization) if authorization else None
    )
    decided = parse_datetime(permit["decided_at"]) if "decided_at" in permit else None
    return Why(
        title,
        policy.in_words(granted),
        code=granted.basis,
        decided_at=decided,
        authorization=authorization or "",
    )


@dataclass(frozen=True, slots=True)
class Step:
    at: datetime
    title: str
    text: str = ""
    kind: str = "plain"


_EVENTS = {
    "message.delivered": "Delivered",
    "message.opened": "Opened",
    "message.clicked": "Link followed",
    "message.unsubscribed": "Unsubscribed",
    "message.bounced": "Bounced",
    "message.complained": "Complained about",
    "message.replied": "Answered",
}


_AT_ONCE = timedelta(minutes=1)


def _steps(row: Message, *, zone: ZoneInfo) -> Iterator[Step]:
    yield from _on_portal(row)
    due = row.due_at.astimezone(zone)
    later = due - row.created_at > _AT_ONCE
    said = f"to go out {due:%b} {due.day}, {due:%H:%M %Z}" if later else "to go out at once"
    yield Step(row.created_at, "Ordered", said)
    if row.handed_over_at:
        whom = "text gateway" if row.channel == lanes.SMS else "mail relay or provider"
        yield Step(row.handed_over_at, f"Handed over to the {whom}", ROUTES.get(row.route, ""))
    for moved in Transition.objects.filter(message_id=row.pk).order_by("id"):
        reason = reasons.explain(moved.code if not moved.code[:1].isdigit() else "")
        text = reason.sentence if reason and moved.code != "reconciled" else moved.code
        yield Step(moved.at, moved.get_state_display(), text, KINDS[moved.state])
    happened = Event.objects.filter(contact_id=row.contact_id, message_id=row.pk)
    for event in happened.filter(kind__in=_EVENTS).order_by("id"):
        text = " · ".join(filter(None, [event.link, "a program did" if event.machine else ""]))
        yield Step(event.occurred_at, _EVENTS[event.kind], text)


def _on_portal(row: Message) -> Iterator[Step]:
    """The read receipt, and the recall, of what waits on the portal."""
    waiting = Pickup.objects.filter(message_id=row.pk).first()
    if waiting is None:
        return
    if waiting.opened_at:
        yield Step(waiting.opened_at, "Read on the portal", "after code and date of birth", "ok")
    if waiting.recalled_at:
        late = waiting.opened_at is not None
        yield Step(
            waiting.recalled_at,
            "Taken back",
            "after it was read" if late else "before anybody read it",
            "warn" if late else "plain",
        )


@require_safe
@requires(Permission.MESSAGES_VIEW)
def said(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show what the message said, rendered again, to who may see every class of it."""
    row = get_object_or_404(Message, public_id=public_id)
    if not _within(row, staff_of(request)):
        raise Http404
    trail.record(
        "message.viewed",
        subject=f"message:{row.pk}",
        detail={"purpose": "content", "classes": list(row.classes)},
    )
    try:
        words = evidence.said(row)
        return framed(words.html if row.channel == lanes.EMAIL else _as_page(words.text))
    except evidence.Gone:
        return framed("<head></head><p>What this message said is gone.</p>")


def _as_page(words: str) -> str:
    """Return a text message's words as a page."""
    return f"<head></head><body>{linebreaks(escape(words))}</body>"
