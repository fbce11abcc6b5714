"""Draft a campaign, say what is wrong with it, and have another person approve exactly that."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import tenancy
from accounts.models import ApiKey, Organisation
from audit import actor, trail
from contacts.segments import approvals as segment_approvals
from contacts.segments.definition import DefinitionInvalid
from contacts.segments.models import Segment
from marketing.campaigns.models import Campaign, CampaignApproval, Variant
from messaging import versions
from messaging.models import Template, TemplateVersion
from workflows import audience, recurring
from workflows.recurring import RuleRefused

Verdict = CampaignApproval.Verdict
LETTERS = "ABCD"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and the form field where it is mended."""

    field: str
    message: str


class CampaignRefused(Exception):
    """What was asked cannot be done now; `problems` say why and where."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(one.message for one in problems))
        self.problems = list(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What staff decide of a campaign."""

    name: str
    segment_id: UUID | None
    templates: Sequence[UUID]
    """One for each variant, in the order of their letters."""
    times: Sequence[time | None] = ()
    """A time of day of its own for each variant, where times are tried."""
    excluded_id: UUID | None = None
    starts_on: date | None = None
    starts_at: time | None = None
    each_zone: bool = False
    at_own_hour: bool = False
    repeats: str = ""
    lasts_hours: int = 72
    ceiling: int | None = None
    hold_out: int = 0
    trial_share: int = 100
    trial_by: str = Campaign.Measure.CLICKS
    trial_hours: int = 24
    goal_kind: str = ""
    goal_days: int = 14

    def of_campaign(self) -> dict[str, Any]:
        left_out = ("templates", "times")
        return {name: getattr(self, name) for name in self.__slots__ if name not in left_out}


MOST_HOURS = 720
MOST_TRIAL_HOURS = 336
MOST_HELD_OUT = 90
FEWEST_TRIED = 5
MOST_GOAL_DAYS = 365
GOAL = r"[a-z0-9_]+(\.[a-z0-9_]+)*"


def refuse_unreadable(draft: Draft) -> None:
    """Raise `CampaignRefused` for what no later look could mend; unsound drafts are kept."""
    wrong = [*_of_form(draft), *_of_rows(draft)]
    if wrong:
        raise CampaignRefused(wrong)


def _of_form(draft: Draft) -> Iterator[Problem]:
    if bool(draft.starts_on) != bool(draft.starts_at):
        missing = "starts_at" if draft.starts_on else "starts_on"
        yield Problem(missing, "Give both the day and the time, or neither.")
    if len(draft.templates) > len(LETTERS):
        yield Problem("template_a", f"At most {len(LETTERS)} messages are tried.")
    try:
        recurring.read(draft.repeats)
    except RuleRefused as why:
        yield Problem("repeats", str(why))


def _of_rows(draft: Draft) -> Iterator[Problem]:
    for field, segment_id in (("segment", draft.segment_id), ("excluded", draft.excluded_id)):
        if segment_id is not None and not Segment.objects.filter(pk=segment_id).exists():
            yield Problem(field, "There is no such segment in your organisation.")
    known = set(
        Template.objects.filter(pk__in=draft.templates, archived_at=None).values_list(
            "pk", flat=True
        )
    )
    for letter, template_id in zip(LETTERS.lower(), draft.templates, strict=False):
        if template_id not in known:
            yield Problem(f"template_{letter}", "There is no such message in your organisation.")


@transaction.atomic
def create(draft: Draft, *, now: datetime) -> Campaign:
    refuse_unreadable(draft)
    made = Campaign.objects.create(
        **draft.of_campaign(), changed_by=actor.current().id, created_at=now, changed_at=now
    )
    _write_variants(made, draft)
    trail.record("campaign.created", subject=f"campaign:{made.id}")
    return made


@transaction.atomic
def change(campaign_id: UUID, draft: Draft, *, now: datetime) -> Campaign:
    """Keep the draft, sound or not. What was approved of another plan is approved no more."""
    found = Campaign.objects.select_for_update().get(id=campaign_id)
    if not found.may_be_changed:
        raise CampaignRefused(
            [Problem("", "It was launched already: make a copy and change that.")]
        )
    refuse_unreadable(draft)
    for name, value in draft.of_campaign().items():
        setattr(found, name, value)
    found.changed_by, found.changed_at = actor.current().id, now
    found.state = Campaign.State.DRAFT
    found.save()
    found.approvals.filter(verdict__in=[Verdict.WAITING, Verdict.APPROVED]).update(
        verdict=Verdict.VOID
    )
    _write_variants(found, draft)
    trail.record("campaign.changed", subject=f"campaign:{found.id}")
    return found


def _write_variants(campaign: Campaign, draft: Draft) -> None:
    campaign.variants.all().delete()
    times = [*draft.times, *[None] * len(draft.templates)]
    Variant.objects.bulk_create(
        Variant(campaign=campaign, letter=letter, template_id=template_id, starts_at=at)
        for letter, template_id, at in zip(LETTERS, draft.templates, times, strict=False)
    )


def pinned(campaign: Campaign) -> dict[str, TemplateVersion]:
    """Return the approved version that each letter would send now; those without are left out."""
    found = {
        one.letter: versions.latest_approved(one.template_id) for one in campaign.variants.all()
    }
    return {letter: version for letter, version in found.items() if version is not None}


def problems(campaign: Campaign, *, now: datetime) -> list[Problem]:
    """Return what keeps it from being approved and launched."""
    return [
        *of_audience(campaign),
        *_of_content(campaign),
        *_of_schedule(campaign, now=now),
        *_of_trial(campaign),
    ]


def of_audience(campaign: Campaign) -> list[Problem]:
    """Return what keeps its segments from being sent to."""
    if campaign.segment_id is None:
        return [Problem("segment", "Choose the segment that it goes to.")]
    found = []
    for field, segment_id in (("segment", campaign.segment_id), ("excluded", campaign.excluded_id)):
        if segment_id is None:
            continue
        segment = Segment.objects.filter(pk=segment_id).first()
        why = segment_approvals.why_not(segment) if segment is not None else "is gone"
        found += [Problem(field, f"The segment {why}.")] if why else []
    if campaign.excluded_id == campaign.segment_id:
        found.append(Problem("excluded", "It leaves out the very segment that it goes to."))
    return found


def _of_content(campaign: Campaign) -> list[Problem]:
    variants, ready = list(campaign.variants.all()), pinned(campaign)
    if not variants:
        return [Problem("template_a", "Choose the message that goes out.")]
    found = [
        Problem(
            f"template_{one.letter.lower()}",
            f"Message {one.letter} has no approved version yet.",
        )
        for one in variants
        if one.letter not in ready
    ]
    if len({one.purpose for one in ready.values()}) > 1:
        found.append(Problem("template_b", "Variants must have one purpose, or consent differs."))
    return found


def _of_schedule(campaign: Campaign, *, now: datetime) -> list[Problem]:
    try:
        repeats = campaign.rule
    except RuleRefused as why:
        return [Problem("repeats", str(why))]
    first = campaign.first_wall
    if first is None:
        if repeats is not None:
            return [Problem("starts_on", "A campaign that repeats needs a first day and a time.")]
        if campaign.each_zone:
            return [Problem("starts_on", "Give the time that it shall be where each person lives.")]
        return []
    zone = Organisation.objects.get(id=tenancy.current()).zone
    if recurring.following(repeats, first, zone=zone, after=now) is None:
        return [Problem("starts_on", "That time is over. Choose a later one.")]
    return []


A_DAY = 24


def _of_trial(campaign: Campaign) -> list[Problem]:
    count = campaign.variants.count()
    awaits = campaign.trial_share < 100
    if awaits and count < 2:
        return [Problem("trial_share", "To await a winner takes two messages or more.")]
    if campaign.at_own_hour and any(one.starts_at for one in campaign.variants.all()):
        wrong = "Either each person's own hour, or times tried against each other."
        return [Problem("at_own_hour", wrong)]
    if awaits and campaign.at_own_hour and campaign.trial_hours <= A_DAY:
        wrong = f"Own hours take a day: name the winner after more than {A_DAY} hours."
        return [Problem("trial_hours", wrong)]
    if awaits and campaign.trial_hours >= campaign.lasts_hours:
        return [Problem("trial_hours", "The winner would be known after the campaign is over.")]
    return []


def fingerprint(campaign: Campaign, ready: Mapping[str, TemplateVersion]) -> str:
    """Return a hash of audience, content and plan: what an approval is about."""
    segments = {
        str(one.pk): segment_approvals.fingerprint(one).hex()
        for one in Segment.objects.filter(pk__in=[campaign.segment_id, campaign.excluded_id])
    }
    said = {
        "audience": [str(campaign.segment_id), str(campaign.excluded_id), segments],
        "content": [
            [one.letter, str(one.starts_at), ready[one.letter].sha256]
            for one in campaign.variants.all()
            if one.letter in ready
        ],
        "plan": [str(getattr(campaign, name)) for name in _PLAN],
    }
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


_PLAN = (
    "starts_on", "starts_at", "each_zone", "at_own_hour", "repeats", "lasts_hours",
    "ceiling", "hold_out", "trial_share", "trial_by", "trial_hours",
)  # fmt: skip


def classes(campaign: Campaign) -> frozenset[str]:
    """Return what being in the audience says of a person (W8); raises `DefinitionInvalid`."""
    found: frozenset[str] = frozenset()
    for segment_id in (campaign.segment_id, campaign.excluded_id):
        if segment_id is not None:
            found |= audience.betrays(audience.of(segment_id))
    return found


def betrayed(campaign: Campaign) -> frozenset[str] | None:
    """The same; None where the audience is broken or not chosen."""
    try:
        return classes(campaign) if campaign.segment_id else None
    except DefinitionInvalid:
        return None


@transaction.atomic
def ask_approval(campaign_id: UUID, *, now: datetime) -> CampaignApproval:
    """Ask another person; raises `CampaignRefused` while something is wrong with it."""
    found = Campaign.objects.select_for_update().get(id=campaign_id)
    if not found.may_be_changed:
        raise CampaignRefused([Problem("", "It was launched already.")])
    if wrong := problems(found, now=now):
        raise CampaignRefused(wrong)
    ready = pinned(found)
    found.approvals.filter(verdict__in=[Verdict.WAITING, Verdict.APPROVED]).update(
        verdict=Verdict.VOID
    )
    made = CampaignApproval.objects.create(
        campaign=found,
        fingerprint=fingerprint(found, ready),
        pinned={letter: str(version.id) for letter, version in ready.items()},
        requested_by=actor.current().id,
        requested_at=now,
    )
    Campaign.objects.filter(id=found.id).update(state=Campaign.State.WAITING)
    trail.record("campaign.approval_requested", subject=f"campaign:{found.id}")
    return made


@transaction.atomic
def decide(
    approval_id: UUID, *, approve: bool, reason: str = "", now: datetime
) -> CampaignApproval:
    """Answer a request; never one's own, nor for what one changed last (SE-20)."""
    approval = CampaignApproval.objects.select_for_update().get(id=approval_id)
    campaign = Campaign.objects.select_for_update().get(id=approval.campaign_id)
    who = actor.current().id
    if approval.verdict != Verdict.WAITING:
        raise CampaignRefused([Problem("", "Somebody answered this request already.")])
    if _people({who}) & _people({approval.requested_by, campaign.changed_by}):
        raise CampaignRefused(
            [Problem("", "Another person must decide: you made or asked for it.")]
        )
    if not approve and not reason.strip():
        raise CampaignRefused([Problem("reason", "Say what must change.")])
    if approve and approval.fingerprint != fingerprint(campaign, pinned_by(approval)):
        raise CampaignRefused([Problem("", CHANGED)])
    approval.verdict = Verdict.APPROVED if approve else Verdict.REFUSED
    approval.decided_by, approval.decided_at, approval.reason = who, now, reason.strip()[:400]
    approval.save()
    state = Campaign.State.APPROVED if approve else Campaign.State.DRAFT
    Campaign.objects.filter(id=campaign.id).update(state=state)
    action = "campaign.approved" if approve else "campaign.approval_refused"
    trail.record(action, subject=f"campaign:{campaign.id}")
    return approval


def _people(actors: Collection[str]) -> set[str]:
    """Return the actors, and behind a machine's key whoever made it: two keys are one person."""
    keys = [UUID(one) for one in actors if _KEY_ID.fullmatch(one)]
    makers = ApiKey.objects.filter(pk__in=keys, created_by__isnull=False)
    return {*actors, *map(str, makers.values_list("created_by_id", flat=True))}


_KEY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CHANGED = "The audience, a message or the plan has changed since: it must be approved again."


def standing(campaign: Campaign) -> CampaignApproval | None:
    """Return the approval that covers the campaign as it is now."""
    found = campaign.approvals.filter(verdict=Verdict.APPROVED).first()
    if found is None or found.fingerprint != fingerprint(campaign, pinned_by(found)):
        return None
    return found


def pinned_by(approval: CampaignApproval) -> dict[str, TemplateVersion]:
    """Return the versions that the approval is of; newer ones do not go out by it."""
    rows = TemplateVersion.objects.in_bulk([UUID(one) for one in approval.pinned.values()])
    return {letter: rows[UUID(one)] for letter, one in approval.pinned.items()}


def waiting() -> list[CampaignApproval]:
    """Return the requests that nobody has answered, the oldest first."""
    rows = CampaignApproval.objects.filter(verdict=Verdict.WAITING).select_related("campaign")
    return list(rows.order_by("requested_at"))


def copy(campaign: Campaign, *, now: datetime) -> Campaign:
    """Begin another campaign with the same plan, without its day."""
    draft = replace(
        draft_of(campaign),
        name=f"{campaign.name[:113]} (copy)",
        starts_on=None,
        starts_at=None,
        repeats="",
        each_zone=False,
    )
    return create(draft, now=now)


def draft_of(campaign: Campaign) -> Draft:
    """Return what was decided of it, to be changed and kept again."""
    variants = list(campaign.variants.all())
    same = {
        name: getattr(campaign, name)
        for name in Draft.__slots__
        if name not in ("templates", "times")
    }
    return Draft(
        templates=[one.template_id for one in variants],
        times=[one.starts_at for one in variants],
        **same,
    )
