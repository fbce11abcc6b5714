"""Delivery, going out: what each pool carries now, what holds it back, and how it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from marketing.campaigns.models import Run
from marketing.web.addresses import address
from messaging import reconcile, sender
from messaging.models import Message, Stop, Tally
from messaging.pools import facts, fencing, lanes, pausing
from workflows.models import WorkflowVersion

SEE = Permission.DELIVERY_VIEW
CHANGE = Permission.ORGANISATION_MANAGE
HOUR = timedelta(hours=1)
WAITING = ("queued", "deferred", "paused")
MOST = 20
UNNAMED = "Messages sent one by one"


@dataclass(frozen=True, slots=True)
class PoolRow:
    """One pool as it fares now."""

    kind: str
    label: str
    state: str
    badge: str
    due: int
    later: int
    sent: int
    deferred: int
    rejected: int
    pausable: bool


@dataclass(frozen=True, slots=True)
class StopRow:
    """What holds something back, with what waits behind it."""

    stop: Stop
    title: str
    by: str
    figures: str
    backlog: pausing.Backlog


class ResumeForm(forms.Form):
    choice = forms.ChoiceField(
        label="What waits",
        choices=Stop.Backlog.choices,
        initial=Stop.Backlog.SEND,
        widget=forms.RadioSelect,
    )


class FenceForm(forms.Form):
    log = forms.FileField(
        label="The relay's log",
        required=False,
        help_text="What it took in counts as sent and is not sent again. Without it, everything "
        "that waits in this database goes.",
    )
    agreed = forms.BooleanField(label="I have compared, and sending may go on")


@requires(SEE)
@require_safe
def going_out(request: HttpRequest) -> HttpResponse:
    return _show(request)


def _show(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    now = timezone.now()
    standing = pausing.standing()
    ended = list(Stop.objects.exclude(ended_at=None).order_by("-ended_at")[:MOST])
    names = _names({one.source for one in (*standing, *ended) if one.source})
    context = {
        "pools": _pools(standing, now=now),
        "stops": [_stop_row(one, names, now=now) for one in standing if not _is_fence(one)],
        "fence": next((one for one in standing if _is_fence(one)), None),
        "fence_form": FenceForm(auto_id="fence_%s"),
        "resume_form": ResumeForm(),
        "sources": _sources(standing),
        "ended": [_ended(one, names) for one in ended],
        "may_change": staff_of(request).may(CHANGE),
        "tabs": tabs("delivery-out", staff_of(request)),
        "as_of": now,
    } | more
    return render(request, "messaging/going_out.html", context, status=status)


def tabs(here: str, user: User) -> list[dict[str, Any]]:
    """Return the views of Delivery that the role may see."""
    views = (
        ("delivery", "Coming back", SEE),
        ("delivery-out", "Going out", SEE),
        ("undelivered", "Not delivered", Permission.MESSAGES_VIEW),
        ("sending-domain", "Sending domain", SEE),
        ("domain-reports", "Reports", SEE),
    )
    return [
        {"label": label, "address": found, "here": route == here, "count": None}
        for route, label, permission in views
        if user.may(permission) and (found := address(route))
    ]


def _is_fence(stop: Stop) -> bool:
    return stop.cause == Stop.Cause.RESTORED


def _pools(standing: Iterable[Stop], *, now: datetime) -> list[PoolRow]:
    waiting = {
        row["pool"]: row
        for row in Message.objects.filter(state__in=("queued", "deferred"))
        .values("pool")
        .annotate(
            due=Count("id", filter=Q(due_at__lte=now)), later=Count("id", filter=Q(due_at__gt=now))
        )
    }
    carried = {
        row["pool"]: row
        for row in Tally.objects.filter(minute__gt=now - HOUR)
        .values("pool")
        .annotate(went=Sum("sent"), later=Sum("deferred"), no=Sum("rejected"))
    }
    stops = {one.pool: one for one in standing if one.pool and not one.warning}
    warned = {one.pool for one in standing if one.warning}
    everything = any(_is_fence(one) for one in standing)
    rows = []
    for kind in facts.read():
        state, badge = _state(stops.get(kind), warned=kind in warned, everything=everything)
        here, went = waiting.get(kind, {}), carried.get(kind, {})
        rows.append(
            PoolRow(
                kind,
                lanes.LABELS[kind],
                state,
                badge,
                here.get("due", 0),
                here.get("later", 0),
                went.get("went") or 0,
                went.get("later") or 0,
                went.get("no") or 0,
                pausable=kind not in stops and not everything,
            )
        )
    return rows


def _state(stop: Stop | None, *, warned: bool, everything: bool) -> tuple[str, str]:
    if everything:
        return "stopped after a restore", "bad"
    if stop is None:
        return ("running, complaints are high", "warn") if warned else ("running", "ok")
    if stop.half_open_at is not None:
        return "trying again with a few", "warn"
    return ("paused", "warn") if stop.cause == Stop.Cause.STAFF else ("stopped by itself", "bad")


Names = Mapping[UUID, str]


def _stop_row(stop: Stop, names: Names, *, now: datetime) -> StopRow:
    waiting = pausing.backlog(stop, now=now)
    return StopRow(stop, _title(stop, names), name_of(stop.began_by), _figures(stop), waiting)


def _title(stop: Stop, names: Names) -> str:
    what = lanes.LABELS.get(stop.pool, "Everything")
    if stop.source is not None:
        what = names.get(stop.source, UNNAMED)
    return f"{what}: {stop.get_cause_display().lower()}" + (" (a warning)" if stop.warning else "")


def _figures(stop: Stop) -> str:
    if not stop.tried:
        return ""
    share = 100 * stop.bad / stop.tried
    name = "complaints among" if stop.cause == Stop.Cause.COMPLAINTS else "refusals among"
    return f"{stop.bad:,} {name} {stop.tried:,} ({share:.2f} %)"


def name_of(actor: str) -> str:
    """Return who did it; programs are named by what they do."""
    try:
        found = User.objects.filter(pk=UUID(actor)).first()
    except ValueError:
        return actor
    return found.name if found else actor


def _ended(stop: Stop, names: Names) -> dict[str, Any]:
    return {
        "stop": stop,
        "title": _title(stop, names),
        "by": name_of(stop.ended_by),
        "choice": stop.get_backlog_display() if stop.backlog else "",
    }


def _names(sources: set[UUID]) -> dict[UUID, str]:
    """Return what staff call each workflow version or run of a campaign."""
    versions = WorkflowVersion.objects.filter(id__in=sources).select_related("workflow")
    runs = Run.objects.filter(id__in=sources).select_related("campaign")
    found = {one.id: f"Workflow {one.workflow.name}, version {one.number}" for one in versions}
    return found | {one.id: f"Campaign {one.campaign.name}" for one in runs}


def _sources(standing: Iterable[Stop]) -> list[dict[str, Any]]:
    """Return the workflows and campaigns with most messages waiting, if they are paused."""
    counted = (
        Message.objects.filter(state__in=WAITING)
        .values_list("source")
        .annotate(number=Count("id"))
        .order_by("-number")[:MOST]
    )
    found = list(counted)
    names = _names({source for source, _ in found})
    paused = {one.source for one in standing if one.source}
    return [
        {
            "id": source,
            "name": names.get(source, UNNAMED),
            "waiting": number,
            "paused": source in paused,
        }
        for source, number in found
    ]


@requires(SEE)
@require_POST
def pause(request: HttpRequest) -> HttpResponse:
    """Stop a pool or a source; whoever sees trouble may stop it."""
    pool, source = request.POST.get("pool", ""), _uuid(request.POST.get("source", ""))
    try:
        stop = pausing.pause(pool=pool, source=source, now=timezone.now())
    except ValueError:
        messages.error(request, "Choose a pool, or a workflow or campaign, to pause.")
        return redirect("delivery-out")
    waiting = pausing.backlog(stop, now=timezone.now()).waiting
    messages.success(
        request, f"Paused. {waiting:,} are due and wait; you choose what becomes of them."
    )
    return redirect("delivery-out")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@requires(CHANGE)
@require_POST
def resume(request: HttpRequest, stop_id: UUID) -> HttpResponse:
    form = ResumeForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose what becomes of the messages that wait.")
        return redirect("delivery-out")
    try:
        moved = pausing.resume(stop_id, choice=form.cleaned_data["choice"], now=timezone.now())
    except pausing.NotPaused:
        messages.info(request, "Somebody else has resumed it already.")
    else:
        messages.success(request, f"It goes on. Your choice concerned {moved:,} messages.")
    return redirect("delivery-out")


@requires(CHANGE, fresh=True)
@require_POST
def lift_fence(request: HttpRequest) -> HttpResponse:
    """Let sending go on after a restore; the log says what went out already."""
    form = FenceForm(request.POST, request.FILES, auto_id="fence_%s")
    if fencing.fence() is None:
        messages.info(request, "Somebody else has let sending go on already.")
        return redirect("delivery-out")
    if not form.is_valid():
        return _show(request, status=422, fence_form=form)
    found = fencing.difference(_taken_in(form.cleaned_data["log"]), domains=sender.domains())
    fencing.lift(found, now=timezone.now())
    messages.success(
        request,
        f"Sending goes on. {len(found.waiting):,} messages that the log has count as sent; "
        f"{found.foreign:,} in the log are unknown to this database.",
    )
    return redirect("delivery-out")


def _taken_in(log: Any) -> set[str]:
    if log is None:
        return set()
    return reconcile.from_log(line.decode("utf-8", "replace") for line in log)
