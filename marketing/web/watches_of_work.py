"""What Home says of workflows and campaigns: who is stuck, what stopped, what waits."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.urls import reverse

from accounts.models import User
from accounts.roles import Permission
from marketing.campaigns.models import Campaign, CampaignApproval, Run
from marketing.web.attention import MOST, Matter, told, watches, watches_for_reader
from workflows import apart, staff_tasks
from workflows.models import Pause
from workflows.writing_back import receivers

RECENT = timedelta(days=7)
TRIES = 3
"""Attempts after which a receiver that does not answer well needs a look."""
MOST_TASKS = 200


@watches(Permission.WORKFLOWS_VIEW)
def braked_workflows(now: datetime) -> Matter | None:
    """What ran away and stopped by itself; what a person paused, that person knows."""
    stood = Pause.objects.filter(resumed_at=None).exclude(why="")
    ids = list(stood.values_list("workflow_id", flat=True)[:MOST])
    return told(
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
    return told(
        sum(one.people for one in apart.standing()),
        ("person is stuck in a workflow", "people are stuck in workflows"),
        "Their step breaks with an error. They stay where they are and are tried again each hour.",
        reverse("workflow-brakes"),
        "bad",
    )


@watches(Permission.DELIVERY_VIEW)
def untold_write_backs(now: datetime) -> Matter | None:
    """Receivers that refuse, or that what waits for them does not get through to."""
    return told(
        sum(1 for one in receivers.standing() if one.aside or one.receiver.attempts >= TRIES),
        ("receiver does not take write-backs", "receivers do not take write-backs"),
        "What workflows tell the record of care is kept. Look at why, then send it again.",
        reverse("write-backs"),
        "bad",
    )


@watches_for_reader(Permission.TASKS_HANDLE)
def tasks_due(now: datetime, user: User) -> Matter | None:
    """What workflows ask of staff within a day, as far as the reader may know the people."""
    found, _ = staff_tasks.open_for(user.data_classes, limit=MOST_TASKS)
    count = sum(task.due_at < now + timedelta(days=1) for task in found)
    if not count:
        return None
    return Matter(
        count,
        "task is due within a day" if count == 1 else "tasks are due within a day",
        "The person goes on as soon as somebody says what became of it.",
        reverse("tasks"),
        "Look at it" if count == 1 else "Look at them",
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
