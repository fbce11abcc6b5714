"""The inbox: what people wrote back, whose it is to answer, and the answer by a secure message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import MATRIX, Permission
from consent.models import Reply
from contacts import matching, persons
from marketing.web.going_out import name_of
from messaging import reasons
from messaging.answers import letters, reading
from messaging.answers.letters import LetterRefused
from messaging.attachments import FileRefused, Given
from messaging.models import Answer, Letter, Message

HANDLE = Permission.ANSWERS_HANDLE
PAGE = 50
TABS = (("", "Open"), ("mine", "Mine"), ("nobody", "Nobody's"), ("done", "Done"))
_ABOUT = {
    "treatment": "Treatment",
    "care_coordination": "Coordinating care",
    "appointment": "An appointment",
    "payment": "A bill or payment",
    "operations": "Something else about our work",
}


class Files(forms.FileField):
    """Several files of one field."""

    def __init__(self, **how: Any) -> None:
        super().__init__(widget=_Several(), **how)

    def clean(self, data: Any, initial: Any = None) -> Any:
        return [super(Files, self).clean(one, initial) for one in data or ()]


class _Several(forms.ClearableFileInput):
    allow_multiple_selected = True


class Writing(forms.Form):
    """A letter to the person."""

    words = forms.CharField(
        label="Your answer",
        max_length=letters.LONGEST,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="It goes as a secure message, by the way that the protection policy gives it. "
        "Nothing in it is advertising.",
    )
    purpose = forms.ChoiceField(
        label="It is about", choices=[(one, _ABOUT[one]) for one in letters.PURPOSES]
    )
    enclosed = Files(
        label="Files", required=False, help_text="PDF, PNG, JPEG or text; 10 MB each at most."
    )

    meant = forms.ChoiceField(
        label="Does the person ask us to stop?",
        choices=[("", "Choose"), *Reply.Decision.choices],
        help_text="Until somebody has said so, everything that a no could stop waits.",
    )

    def __init__(self, *args: Any, asks: bool, **how: Any) -> None:
        super().__init__(*args, **how)
        if not asks:
            del self.fields["meant"]

    def given(self) -> list[Given]:
        return [Given(one.name or "", one.read()) for one in self.cleaned_data["enclosed"]]


@require_safe
@requires(HANDLE)
def inbox(request: HttpRequest) -> HttpResponse:
    """List the answers, those that wait longest first; the words stand on the pages behind."""
    user, tab = staff_of(request), request.GET.get("show", "")
    rows = list(_chosen(request, user, tab)[: PAGE + 1])
    shown = rows[:PAGE]
    sent = Message.objects.select_related("version__template").in_bulk(
        [row.message_id for row in shown]
    )
    people, names = _people(shown), _names_of({row.assigned_to for row in shown})
    context = {
        "rows": [
            {
                "answer": row,
                "message": sent[row.message_id],
                "contact": people.get(row.contact_id),
                "whose": "you" if row.assigned_to == str(user.pk) else names.get(row.assigned_to),
            }
            for row in shown
        ],
        "tabs": _tabs(user, tab),
        "tab": tab,
        "next": f"?show={tab}&after={_mark(shown[-1], tab)}" if len(rows) > PAGE else "",
        "as_of": timezone.now(),
    }
    return render(request, "messaging/inbox.html", context)


def _chosen(request: HttpRequest, user: User, tab: str) -> QuerySet[Answer]:
    rows = _of_tab(reading.visible(user.data_classes), user, tab)
    after = parse_datetime(request.GET.get("after", "").replace(" ", "+")[:40])
    if tab == "done":
        rows = rows.order_by("-done_at")
        return rows.filter(done_at__lt=after) if after else rows
    rows = rows.order_by("sent_at")
    return rows.filter(sent_at__gt=after) if after else rows


def _of_tab(rows: QuerySet[Answer], user: User, tab: str) -> QuerySet[Answer]:
    match tab:
        case "mine":
            return rows.filter(done_at=None, assigned_to=str(user.pk))
        case "nobody":
            return rows.filter(done_at=None, assigned_to="")
        case "done":
            return rows.exclude(done_at=None)
    return rows.filter(done_at=None)


def _mark(row: Answer, tab: str) -> str:
    at = row.done_at if tab == "done" else row.sent_at
    return at.isoformat() if at else ""


def _tabs(user: User, here: str) -> list[dict[str, Any]]:
    waiting = Q(done_at=None)
    counted = reading.visible(user.data_classes).aggregate(
        all=Count("id", filter=waiting),
        mine=Count("id", filter=waiting & Q(assigned_to=str(user.pk))),
        nobody=Count("id", filter=waiting & Q(assigned_to="")),
    )
    figures = {"": counted["all"], "mine": counted["mine"], "nobody": counted["nobody"]}
    return [
        {
            "label": f"{label} ({figures[code]})" if code in figures else label,
            "address": f"?show={code}" if code else "?",
            "here": code == here,
        }
        for code, label in TABS
    ]


def _people(rows: Sequence[Answer]) -> Mapping[int, UUID]:
    """Return the public id of the person behind each contact of these answers."""
    standing = persons.standing_for({row.contact_id for row in rows})
    known = matching.public_ids(set(standing.values()))
    return {number: known[person] for number, person in standing.items() if person in known}


def _answer(user: User, answer_id: UUID) -> Answer:
    """Return an answer that the person may read; raises Http404 for all others."""
    row = reading.visible(user.data_classes).filter(id=answer_id).first()
    if row is None:
        raise Http404
    return row


@require_http_methods(["GET", "HEAD", "POST"])
@requires(HANDLE)
def conversation(request: HttpRequest, answer_id: UUID) -> HttpResponse:
    """Show what this person and we wrote; POST answers."""
    user = staff_of(request)
    row = _answer(user, answer_id)
    sent = Message.objects.select_related("version__template").get(pk=row.message_id)
    begun = {"purpose": sent.purpose} if sent.purpose in letters.PURPOSES else None
    asks = reading.may_be_a_no(row)
    form = Writing(initial=begun, asks=asks)
    if request.method == "POST":
        form = Writing(request.POST, request.FILES, asks=asks)
        if form.is_valid() and _wrote(request, form, row):
            return redirect("inbox-one", row.id)
    said = reading.conversation(row, user.data_classes)
    reading.read(said, now=timezone.now())
    context = {
        "answer": row,
        "message": sent,
        "contact": _people([row]).get(row.contact_id),
        "said": said,
        "names": _names(row),
        "form": form,
        "colleagues": colleagues(),
        "mine": row.assigned_to == str(user.pk),
        "whose": name_of(row.assigned_to),
        "done_by": name_of(row.done_by),
    }
    return render(request, "messaging/conversation.html", context, status=_status(form))


def _status(form: Writing) -> int:
    return 422 if form.errors else 200


def _wrote(request: HttpRequest, form: Writing, row: Answer) -> bool:
    try:
        written = letters.write(
            row,
            form.cleaned_data["words"],
            purpose=form.cleaned_data["purpose"],
            files=form.given(),
            meant=form.cleaned_data.get("meant", ""),
            now=timezone.now(),
        )
    except (LetterRefused, FileRefused) as refused:
        form.add_error("enclosed" if isinstance(refused, FileRefused) else "words", str(refused))
        return False
    if written.refusal_code:
        why = reasons.explain(written.refusal_code)
        form.add_error(None, f"Not sent: {why.sentence} {why.remedy}" if why else "Not sent.")
        return False
    messages.success(request, "Your answer is on its way. The conversation is done with it.")
    return True


def _names(row: Answer) -> Mapping[str, str]:
    """Return who wrote the letters of this conversation."""
    family = persons.ids_of([row.contact_id])[row.contact_id]
    wrote = Letter.objects.filter(answer__contact_id__in=family)
    return _names_of(set(wrote.values_list("written_by", flat=True)))


def _names_of(staff: set[str]) -> dict[str, str]:
    rows = User.objects.filter(pk__in=[one for one in staff if one])
    return {str(one.pk): one.name for one in rows}


def colleagues() -> list[tuple[str, str]]:
    """Return whom an answer may be given to: who may handle answers, and works here."""
    roles = [role.value for role, granted in MATRIX.items() if HANDLE in granted]
    rows = User.objects.filter(role__in=roles, is_active=True).order_by("name")
    return [(str(one.pk), one.name) for one in rows]


@require_POST
@requires(HANDLE)
def assign(request: HttpRequest, answer_id: UUID) -> HttpResponse:
    row, to = _answer(staff_of(request), answer_id), request.POST.get("to", "")
    if to and to not in dict(colleagues()):
        messages.error(request, "Choose somebody who may answer.")
    else:
        reading.assign(row, to)
        messages.success(request, f"It is {name_of(to)}'s now." if to else "It is nobody's now.")
    return redirect("inbox-one", row.id)


@require_POST
@requires(HANDLE)
def done(request: HttpRequest, answer_id: UUID) -> HttpResponse:
    """Close it without an answer, or take it back among what waits."""
    row = _answer(staff_of(request), answer_id)
    if request.POST.get("act") == "reopen":
        reading.reopen(row)
        messages.success(request, "It waits again.")
        return redirect("inbox-one", row.id)
    if reading.done(row, now=timezone.now()):
        messages.success(request, "Done.")
    else:
        messages.info(request, "Somebody else was done with it already.")
    return redirect("inbox")


@require_safe
@requires(HANDLE)
def file(request: HttpRequest, answer_id: UUID, number: UUID) -> HttpResponse:
    """Give a file that came with an answer, to be saved."""
    found = reading.file(_answer(staff_of(request), answer_id), number)
    if found is None:
        raise Http404
    response = HttpResponse(found.content, content_type=found.media_type)
    response["Content-Disposition"] = content_disposition_header(True, found.name) or "attachment"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
