"""The trail, for those who must prove things: who did what, when, and whether it is whole."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts import guard, tenancy
from accounts.models import ApiKey, User
from accounts.roles import Permission
from audit import trail as ledger
from audit import verify
from audit.actions import ACTIONS
from audit.models import Batch, Entry
from contacts import matching
from contacts.models import Contact
from marketing.web.days import PLAUSIBLE

PAGE = 50
MOST_AT_ONCE = 200_000
"""More entries than this are verified by the command, not while somebody waits."""


class Filter(forms.Form):
    actor = forms.ChoiceField(required=False, label="Who")
    action = forms.ChoiceField(required=False, label="What")
    subject = forms.CharField(
        required=False,
        max_length=100,
        label="On what",
        widget=forms.TextInput(attrs={"placeholder": "a contact's id, staff:…"}),
    )
    since = forms.DateField(
        required=False,
        label="From",
        widget=forms.DateInput(attrs={"type": "date"}),
        validators=PLAUSIBLE,
    )
    until = forms.DateField(
        required=False,
        label="To",
        widget=forms.DateInput(attrs={"type": "date"}),
        validators=PLAUSIBLE,
    )
    before = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.order_by("name").values_list("pk", "name")
        self.fields["actor"].choices = [  # type: ignore[attr-defined]
            ("", "Anyone"),
            *((f"staff:{pk}", name) for pk, name in people),
            ("api_key:", "Any API key"),
            ("system:", "The system"),
            ("patient:", "A patient"),
        ]
        kinds = sorted({action.partition(".")[0] for action in ACTIONS})
        self.fields["action"].choices = [  # type: ignore[attr-defined]
            ("", "Anything"),
            *((kind + ".", f"{kind}: all") for kind in kinds),
            *((action, action) for action in sorted(ACTIONS)),
        ]


@guard.requires(Permission.TRAIL_VIEW)
@require_safe
def trail(request: HttpRequest) -> HttpResponse:
    """Show entries, newest first; looking is recorded too."""
    form = Filter(request.GET or None)
    valid = form.is_valid()
    chosen = {name: value for name, value in form.cleaned_data.items() if value} if valid else {}
    zone = guard.session_of(request).organisation.zone
    found = list(_matching(chosen, zone=zone).order_by("-id")[: PAGE + 1])
    shown = found[:PAGE]
    ledger.record(
        "trail.viewed", detail={"count": len(shown), "fields": sorted(set(chosen) - {"before"})}
    )
    context = {
        "form": form,
        "rows": _rows(shown),
        "seal": _seal(),
        "next": _older(request, shown) if len(found) > PAGE else "",
        "first": _newest(request) if "before" in chosen else "",
    }
    return render(request, "trail/list.html", context)


@guard.requires(Permission.TRAIL_VIEW)
@require_safe
def entry(request: HttpRequest, entry_id: int) -> HttpResponse:
    found = get_object_or_404(Entry, pk=entry_id)
    ledger.record("trail.viewed", subject=f"entry:{found.pk}", detail={"count": 1})
    around = Entry.objects.filter(subject=found.subject).exclude(subject="").order_by("-id")[:11]
    context = {
        "row": _rows([found])[0],
        "facts": found.facts().items(),
        "batch": _batch_of(found),
        "around": _rows([other for other in around if other.pk != found.pk][:10]),
    }
    return render(request, "trail/entry.html", context)


@guard.requires(Permission.TRAIL_VIEW)
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Verify the whole trail now, where that takes seconds."""
    last = Batch.objects.order_by("-number").first()
    total = last.total if last else 0
    report = None
    if total <= MOST_AT_ONCE:
        report = verify.verify(organisation_id=tenancy.current(), now=timezone.now())
        ledger.record(
            "trail.verified",
            detail={
                "entries": report.entries,
                "batches": report.batches,
                "problems": len(report.problems),
            },
        )
    context = {"report": report, "total": total, "at": timezone.now()}
    return render(request, "trail/checked.html", context)


def _matching(chosen: dict[str, Any], *, zone: Any) -> QuerySet[Entry]:
    entries = Entry.objects.all()
    if actor := chosen.get("actor"):
        kind, _, identity = actor.partition(":")
        entries = entries.filter(actor_kind=kind)
        entries = entries.filter(actor_id=identity) if identity else entries
    if action := chosen.get("action"):
        whole = not action.endswith(".")
        entries = entries.filter(**{"action" if whole else "action__startswith": action})
    if subject := chosen.get("subject"):
        entries = entries.filter(subject=_subject(subject.strip()))
    if since := chosen.get("since"):
        entries = entries.filter(at__gte=datetime.combine(since, time(), tzinfo=zone))
    if until := chosen.get("until"):
        end = datetime.combine(until + timedelta(days=1), time(), tzinfo=zone)
        entries = entries.filter(at__lt=end)
    if before := chosen.get("before"):
        entries = entries.filter(id__lt=before)
    return entries


def _subject(text: str) -> str:
    """What stands in the trail for what was asked for: pages name a contact by its public id."""
    kind, _, identity = text.rpartition(":")
    try:
        public_id = UUID(identity)
    except ValueError:
        return text
    if kind not in ("", "contact"):
        return text
    return f"contact:{matching.ids_by_public_id([public_id]).get(public_id, 0)}"


def _rows(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Put names beside ids: of staff and machines, never of patients."""
    entries = list(entries)
    named, contacts = _names(entries), _contacts(entries)
    return [
        {
            "entry": entry,
            "who": named.get(f"{entry.actor_kind}:{entry.actor_id}", entry.actor_id),
            "on": named.get(entry.subject, ""),
            "contact": contacts.get(entry.subject),
            "facts": ", ".join(f"{name} {_plain(fact)}" for name, fact in entry.facts().items()),
        }
        for entry in entries
    ]


def _names(entries: list[Entry]) -> dict[str, str]:
    mentioned = {f"{entry.actor_kind}:{entry.actor_id}" for entry in entries}
    mentioned |= {entry.subject for entry in entries}
    people = User.objects.filter(pk__in=_ids(mentioned, "staff")).values_list("pk", "name")
    keys = ApiKey.objects.filter(pk__in=_ids(mentioned, "api_key")).values_list("pk", "name")
    return {f"staff:{pk}": name for pk, name in people} | {
        f"api_key:{pk}": name for pk, name in keys
    }


def _contacts(entries: list[Entry]) -> dict[str, UUID]:
    """Return the public ids of the contacts that entries are about, where they are still there."""
    ids = {
        int(number)
        for kind, _, number in (entry.subject.partition(":") for entry in entries)
        if kind == "contact" and number.isdecimal()
    }
    known = Contact.objects.filter(pk__in=ids).values_list("pk", "public_id")
    return {f"contact:{pk}": public_id for pk, public_id in known}


def _ids(mentioned: set[str], kind: str) -> list[UUID]:
    found = []
    for one in mentioned:
        before, _, identity = one.partition(":")
        if before == kind:
            try:
                found.append(UUID(identity))
            except ValueError:
                continue
    return found


def _plain(fact: object) -> str:
    return " ".join(map(str, fact)) if isinstance(fact, list) else str(fact)


def _seal() -> dict[str, Any]:
    """Say how far the seals reach."""
    last = Batch.objects.order_by("-number").first()
    waiting = _unsealed(last)[: 10_000 + 1].count()
    return {"last": last, "waiting": waiting, "many": waiting > 10_000}


def _unsealed(last: Batch | None) -> QuerySet[Entry]:
    entries = Entry.objects.all()
    return entries.filter(id__gt=last.last_id) if last else entries


def _batch_of(entry: Entry) -> Batch | None:
    """Return the batch that sealed the entry: the first that reaches past its place."""
    txid = int(entry.txid)
    reaching = Batch.objects.filter(epoch=entry.epoch, last_txid__gte=txid).order_by("number")
    for batch in reaching[:2]:
        if (batch.last_txid, batch.last_id) >= (txid, entry.pk):
            return batch
    return None


def _older(request: HttpRequest, shown: list[Entry]) -> str:
    query = request.GET.copy()
    query["before"] = str(shown[-1].pk)
    return f"{reverse('trail')}?{query.urlencode()}"


def _newest(request: HttpRequest) -> str:
    query = request.GET.copy()
    query.pop("before", None)
    return f"{reverse('trail')}?{query.urlencode()}"
