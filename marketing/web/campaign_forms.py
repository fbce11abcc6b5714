"""The form of a campaign: from fields to a draft, and back."""

from __future__ import annotations

from datetime import date, time
from typing import Any
from uuid import UUID

from django import forms

from accounts.models import User
from contacts.segments.models import Segment
from marketing.campaigns import planning
from marketing.campaigns.models import Campaign
from marketing.campaigns.planning import Draft
from marketing.web import segment_sight
from messaging.models import Template
from workflows import recurring
from workflows.recurring import Repeats, RuleRefused

VARIANTS = ("a", "b", "c")
OWN_RULE = "RULE"
REPEATS = [
    ("", "Once"),
    ("DAILY", "Every day"),
    ("WEEKLY", "Every week"),
    ("MONTHLY", "Every month"),
    ("YEARLY", "Every year"),
    (OWN_RULE, "By a rule of RFC 5545"),
]
DAYS = [("MO", "Mon"), ("TU", "Tue"), ("WE", "Wed"), ("TH", "Thu"), ("FR", "Fri"), ("SA", "Sat"),
        ("SU", "Sun")]  # fmt: skip


class CampaignForm(forms.Form):
    """What staff decide of a campaign. Problems that need other rows are named by `planning`."""

    name = forms.CharField(
        label="Name",
        max_length=120,
        help_text="Staff of every role see it: leave out what it says of people.",
    )
    segment = forms.ChoiceField(label="To the segment", required=False)
    excluded = forms.ChoiceField(label="But not to", required=False)
    template_a = forms.ChoiceField(label="Message", required=False)
    template_b = forms.ChoiceField(label="Tried against", required=False)
    template_c = forms.ChoiceField(label="And against", required=False)
    time_a = forms.TimeField(label="Its own time of day", required=False)
    time_b = forms.TimeField(label="Its own time of day (second)", required=False)
    time_c = forms.TimeField(label="Its own time of day (third)", required=False)
    starts_on = forms.DateField(
        label="Day", required=False, help_text="Left empty: as soon as it is launched."
    )
    starts_at = forms.TimeField(label="Time", required=False)
    each_zone = forms.BooleanField(
        label="By the clock where each person lives",
        required=False,
        help_text="Where several zones are possible, when it has come in all of them. "
        "Who has no State on record gets it by the organisation's clock.",
    )
    at_own_hour = forms.BooleanField(
        label="At the hour at which each person usually opens mails",
        required=False,
        help_text="Within a day of its time. Only people's own openings count; whoever opened "
        "fewer than three mails in 180 days gets it at its time.",
    )
    repeats = forms.ChoiceField(label="Repeats", choices=REPEATS, required=False)
    every = forms.IntegerField(label="Every so many", required=False, min_value=1, max_value=99)
    days = forms.MultipleChoiceField(
        label="On (weekly)", choices=DAYS, required=False, widget=forms.CheckboxSelectMultiple
    )
    month_day = forms.IntegerField(
        label="On day (monthly)",
        required=False,
        min_value=-1,
        max_value=31,
        help_text="-1 is the last day of each month.",
    )
    until = forms.DateField(label="Last day", required=False)
    rule = forms.CharField(
        label="Rule (RFC 5545)",
        required=False,
        max_length=recurring.LONGEST,
        help_text="Such as FREQ=MONTHLY;BYDAY=1MO;COUNT=6: the first Monday, six times.",
    )
    lasts_hours = forms.IntegerField(
        label="Not later than so many hours after its time",
        min_value=1,
        max_value=planning.MOST_HOURS,
        initial=72,
    )
    ceiling = forms.IntegerField(
        label="At most so many people",
        required=False,
        min_value=1,
        help_text="If the audience is larger, nobody is written to and you are told.",
    )
    hold_out = forms.IntegerField(
        label="Held out (%)",
        min_value=0,
        max_value=planning.MOST_HELD_OUT,
        initial=0,
        help_text="So many get nothing, to compare with.",
    )
    trial_share = forms.IntegerField(
        label="Try the messages on (%)",
        min_value=planning.FEWEST_TRIED,
        max_value=100,
        initial=100,
        help_text="The rest wait and get the winner. 100: everybody gets one of them at once.",
    )
    trial_by = forms.ChoiceField(
        label="The winner has more", choices=Campaign.Measure.choices, required=False
    )
    trial_hours = forms.IntegerField(
        label="Named after (hours)", min_value=1, max_value=planning.MOST_TRIAL_HOURS, initial=24
    )
    goal_kind = forms.RegexField(
        f"^{planning.GOAL}$",
        label="What it wants to bring about",
        max_length=60,
        required=False,
        help_text="The kind of event, such as appointment.booked.",
        error_messages={"invalid": "Write the kind as events do: appointment.booked."},
    )
    goal_days = forms.IntegerField(
        label="Within (days)", min_value=1, max_value=planning.MOST_GOAL_DAYS, initial=14
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        segments, templates = _segments(user), [("", "Choose a message"), *_templates()]
        choices = {
            "segment": [("", "Choose a segment"), *segments],
            "excluded": [("", "Nobody left out"), *segments],
            **{f"template_{one}": templates for one in VARIANTS},
        }
        for name, found in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = found
        for name, kind in _INPUTS.items():
            self.fields[name].widget.input_type = kind

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if bool(given.get("starts_on")) != bool(given.get("starts_at")):
            missing = "starts_at" if given.get("starts_on") else "starts_on"
            self.add_error(missing, "Give both the day and the time, or neither.")
        if given.get("template_c") and not given.get("template_b"):
            self.add_error("template_b", "Fill the second message before the third.")
        if given.get("month_day") == 0:
            self.add_error("month_day", "Days run from 1 to 31; -1 is the last.")
        if given.get("repeats") == OWN_RULE:
            self._check_rule(given.get("rule", ""))
        return given

    def _check_rule(self, text: str) -> None:
        try:
            if recurring.read(text) is None:
                self.add_error("rule", "Write the rule, or choose how it repeats.")
        except RuleRefused as why:
            self.add_error("rule", str(why))

    def draft(self) -> Draft:
        given = self.cleaned_data
        chosen = [one for one in VARIANTS if given.get(f"template_{one}")]
        same = ("name", "starts_on", "starts_at", "each_zone", "at_own_hour", "lasts_hours",
                "ceiling", "hold_out", "trial_share", "trial_hours", "goal_kind",
                "goal_days")  # fmt: skip
        return Draft(
            segment_id=_id(given["segment"]),
            excluded_id=_id(given["excluded"]),
            templates=[UUID(given[f"template_{one}"]) for one in chosen],
            times=[given[f"time_{one}"] for one in chosen],
            repeats=self._rule(),
            trial_by=given["trial_by"] or Campaign.Measure.CLICKS,
            **{name: given[name] for name in same},
        )

    def _rule(self) -> str:
        given = self.cleaned_data
        frequency = given["repeats"]
        if not frequency:
            return ""
        if frequency == OWN_RULE:
            return str(given["rule"].strip().upper().removeprefix("RRULE:"))
        return Repeats(
            frequency,
            given["every"] or 1,
            tuple(given["days"]) if frequency == "WEEKLY" else (),
            (given["month_day"],) if frequency == "MONTHLY" and given["month_day"] else (),
            until=f"{given['until']:%Y%m%d}" if given["until"] else "",
        ).text()


_INPUTS = {
    **dict.fromkeys(("starts_on", "until"), "date"),
    **dict.fromkeys(("starts_at", "time_a", "time_b", "time_c"), "time"),
}


def initial(campaign: Campaign) -> dict[str, Any]:
    """Return the campaign as the form's fields hold it."""
    told: dict[str, Any] = {
        name: getattr(campaign, name)
        for name in CampaignForm.base_fields
        if hasattr(campaign, name) and name != "repeats"
    }
    told |= {"segment": _text(campaign.segment_id), "excluded": _text(campaign.excluded_id)}
    for variant in campaign.variants.all():
        letter = variant.letter.lower()
        told[f"template_{letter}"] = str(variant.template_id)
        told[f"time_{letter}"] = _clock(variant.starts_at)
    told["starts_at"] = _clock(campaign.starts_at)
    told["starts_on"] = _day(campaign.starts_on)
    return told | _repeats(campaign)


def _repeats(campaign: Campaign) -> dict[str, Any]:
    """Return the rule in the fields that can say it; any other as it is written."""
    try:
        rule = campaign.rule
    except RuleRefused:
        return {"repeats": OWN_RULE, "rule": campaign.repeats}
    if rule is None:
        return {}
    days = rule.days and (rule.frequency != "WEEKLY" or any(len(one) > 2 for one in rule.days))
    month_days = rule.month_days and rule.frequency != "MONTHLY"
    if not rule.plain or days or month_days or "T" in rule.until:
        return {"repeats": OWN_RULE, "rule": rule.text()}
    return {
        "repeats": rule.frequency,
        "every": rule.interval,
        "days": list(rule.days),
        "month_day": rule.month_days[0] if rule.month_days else None,
        "until": _day(rule.last_day),
    }


def _segments(user: User) -> list[tuple[str, str]]:
    rows = Segment.objects.filter(archived_at=None).order_by("-created_at")[:500]
    return [(str(one.pk), segment_sight.of(one, user).title) for one in rows]


def _templates() -> list[tuple[str, str]]:
    rows = Template.objects.filter(archived_at=None).order_by("name")
    return [(str(one.pk), f"{one.name} ({one.get_purpose_display().lower()})") for one in rows]


def _id(value: str) -> UUID | None:
    return UUID(value) if value else None


def _text(value: UUID | None) -> str:
    return str(value) if value else ""


def _clock(value: time | None) -> str:
    return f"{value:%H:%M}" if value else ""


def _day(value: date | None) -> str:
    return value.isoformat() if value else ""
