"""The shapes of campaigns, payments and forecasts over HTTP."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from marketing.api.forms import Form
from marketing.campaigns import planning
from marketing.campaigns.models import Campaign
from messaging import protect
from messaging.models import CHANNELS, PURPOSES
from workflows import recurring

EXAMPLE = {
    "name": "Spring check-up",
    "segment": "0199f0a0-0000-7000-8000-000000000001",
    "variants": [{"template": "0199f0a0-0000-7000-8000-000000000002"}],
    "starts_on": "2027-03-01",
    "starts_at": "09:00",
    "repeats": "FREQ=MONTHLY;BYDAY=1MO;COUNT=6",
    "hold_out": 10,
    "goal_kind": "appointment.booked",
}
_HOURS = "How long after its time a message may still go."


class VariantForm(Form):
    template = serializers.UUIDField()
    starts_at = serializers.TimeField(
        required=False,
        allow_null=True,
        help_text="A time of day of its own, where times are tried against each other.",
    )


class CampaignForm(Form):
    name = serializers.CharField(max_length=120)
    segment = serializers.UUIDField(required=False, allow_null=True)
    excluded = serializers.UUIDField(
        required=False, allow_null=True, help_text="A segment whose members are left out."
    )
    variants = serializers.ListField(
        child=VariantForm(), required=False, max_length=len(planning.LETTERS)
    )
    starts_on = serializers.DateField(
        required=False, allow_null=True, help_text="Null: as soon as it is launched."
    )
    starts_at = serializers.TimeField(required=False, allow_null=True)
    each_zone = serializers.BooleanField(
        required=False, help_text="By the clock where each person lives."
    )
    at_own_hour = serializers.BooleanField(
        required=False,
        help_text="Within a day of its time, at the hour at which each person opened mails before.",
    )
    repeats = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=recurring.LONGEST,
        help_text="A rule of RFC 5545, DAILY to YEARLY; empty for once.",
    )
    lasts_hours = serializers.IntegerField(
        required=False, min_value=1, max_value=planning.MOST_HOURS, help_text=_HOURS
    )
    ceiling = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=2_000_000_000
    )
    hold_out = serializers.IntegerField(
        required=False, min_value=0, max_value=planning.MOST_HELD_OUT, help_text="Percent."
    )
    trial_share = serializers.IntegerField(
        required=False,
        min_value=planning.FEWEST_TRIED,
        max_value=100,
        help_text="Percent that get the variants; the rest get the winner. 100: no winner.",
    )
    trial_by = serializers.ChoiceField(required=False, choices=Campaign.Measure.choices)
    trial_hours = serializers.IntegerField(
        required=False, min_value=1, max_value=planning.MOST_TRIAL_HOURS
    )
    goal_kind = serializers.RegexField(
        f"^(?:{planning.GOAL})?$", required=False, allow_blank=True, max_length=60
    )
    goal_days = serializers.IntegerField(
        required=False, min_value=1, max_value=planning.MOST_GOAL_DAYS
    )


class CampaignRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    state = serializers.CharField()
    segment = serializers.UUIDField(allow_null=True)
    next_at = serializers.DateTimeField(allow_null=True)
    changed_at = serializers.DateTimeField()
    launched_at = serializers.DateTimeField(allow_null=True)


class CampaignRows(serializers.Serializer[Any]):
    campaigns = CampaignRow(many=True)
    next = serializers.CharField(allow_null=True, help_text="Give it as `after` to go on.")


class ProblemRow(serializers.Serializer[Any]):
    pointer = serializers.CharField()
    detail = serializers.CharField()


class RunRow(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    state = serializers.CharField()
    due_at = serializers.DateTimeField()
    percent = serializers.IntegerField()
    winner = serializers.CharField()
    verdict = serializers.CharField()
    stopped_by = serializers.CharField(help_text="The code of what forbade it, or empty.")
    ended_at = serializers.DateTimeField(allow_null=True)


class ApprovalRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    verdict = serializers.CharField()
    requested_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    stands = serializers.BooleanField(help_text="It covers the campaign exactly as it is now.")


class CampaignBody(CampaignRow):
    plan = serializers.DictField(help_text="What was decided, as it is sent.")
    in_words = serializers.CharField(help_text="The rule of repetition; empty for once.")
    next_times = serializers.ListField(child=serializers.DateTimeField())
    problems = ProblemRow(many=True, help_text="What keeps it from being approved and launched.")
    approval = ApprovalRow(allow_null=True)
    runs = RunRow(many=True)


class CheckBody(serializers.Serializer[Any]):
    ready = serializers.BooleanField(help_text="False until a segment and a message are chosen.")
    problems = ProblemRow(many=True)
    exact = serializers.BooleanField()
    members = serializers.IntegerField(allow_null=True)
    over_the_ceiling = serializers.BooleanField()
    held_out = serializers.IntegerField(allow_null=True)
    reach = serializers.DictField(
        allow_null=True, help_text="For keys with consent.view: permitted, asked, and why not."
    )
    trial = serializers.DictField(allow_null=True)
    conflicts = serializers.ListField(child=serializers.DictField())
    as_of = serializers.DateTimeField(allow_null=True)


class ApprovalDecision(Form):
    approve = serializers.BooleanField()
    reason = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=400,
        help_text="Needed to send it back.",
    )


class Acted(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.CharField()
    count = serializers.IntegerField(
        required=False, allow_null=True, help_text="Whom a cancellation spares."
    )


class FiguresBody(serializers.Serializer[Any]):
    run = RunRow()
    figures = serializers.DictField(
        help_text="Counts by what is counted; people and programs apart, by group, route and "
        "mailbox provider. Null: too few to be told."
    )


class CalendarRow(serializers.Serializer[Any]):
    campaign = serializers.UUIDField()
    name = serializers.CharField()
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=["past", "due", "foreseen", "planned"])


class CalendarBody(serializers.Serializer[Any]):
    entries = CalendarRow(many=True)


class CalendarForm(Form):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()


class PaymentForm(Form):
    payer = serializers.CharField(max_length=120)
    product_of = serializers.CharField(
        max_length=120,
        help_text="Whose product or service it describes: payment by that party makes it "
        "marketing, whatever its purpose.",
    )
    on_behalf = serializers.BooleanField(default=False)
    kind = serializers.ChoiceField(choices=["cash", "in_kind"])
    amount = serializers.IntegerField(
        default=0, min_value=0, max_value=1_000_000_000, help_text="Cents, for each message."
    )
    cost = serializers.IntegerField(
        default=0, min_value=0, max_value=1_000_000_000, help_text="Cents, of each message."
    )
    step = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=60,
        help_text="Of a workflow: the send step that is paid for; empty for all.",
    )


class PaymentRow(PaymentForm):
    stated_at = serializers.DateTimeField()


class PaymentRows(serializers.Serializer[Any]):
    payments = PaymentRow(many=True)


class ForecastForm(Form):
    segment = serializers.UUIDField()
    template = serializers.UUIDField(
        required=False, help_text="Its approved version; or say purpose and classes."
    )
    purpose = serializers.ChoiceField(choices=PURPOSES, required=False)
    classes = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(protect.DEMANDS)), required=False
    )
    channel = serializers.ChoiceField(
        choices=CHANNELS, required=False, help_text="Beside a purpose; email if it is left out."
    )


class BlockedRow(serializers.Serializer[Any]):
    code = serializers.CharField()
    people = serializers.IntegerField()
    sentence = serializers.CharField()
    remedy = serializers.CharField()


class ForecastBody(serializers.Serializer[Any]):
    members = serializers.IntegerField(allow_null=True)
    asked = serializers.IntegerField(allow_null=True)
    whole = serializers.BooleanField(help_text="False: only the first were asked, it took long.")
    exact = serializers.BooleanField()
    ways = serializers.DictField(
        child=serializers.IntegerField(allow_null=True),
        help_text="People by way: " + ", ".join(protect.FORESEEN) + "; of a text: text, blocked.",
    )
    why = BlockedRow(many=True, help_text="What holds the blocked ones, where counts are exact.")
    in_words = serializers.CharField()
