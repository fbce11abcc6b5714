"""By which protected ways an audience would be reached, before anything is sent (EM-16)."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import tenancy
from accounts.roles import Permission
from audit import trail
from consent.gate import GateRequest
from contacts.models import first_id
from contacts.segments import membership
from contacts.segments.definition import DefinitionInvalid
from contacts.segments.models import Segment
from marketing.api.askers import Machine
from marketing.api.campaign_forms import ForecastBody, ForecastForm
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, invalid
from marketing.web.workflow_figures import teller
from messaging import foretelling, reasons, versions
from messaging.models import Template
from messaging.protection import forecast
from messaging.protection.forecast import Forecast
from workflows import audience


class Forecasts(MachineView):
    """An audience and a message: who would be reached how. Nothing is sent, nobody is named."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CONSENT_VIEW}

    @extend_schema(
        operation_id="forecast_ways",
        summary="Forecast by which ways an audience would be reached",
        description="For a segment as last followed, and a template's approved version or a "
        "purpose with classes. Receivers not known yet become due: a second forecast knows. "
        "Counts are blurred where the key does not see what the segment asks, and `why` is told "
        "where they are not.",
        request=ForecastForm,
        responses=ForecastBody,
        examples=[
            OpenApiExample(
                "Care, with a diagnosis",
                value={
                    "segment": "0199f0a0-0000-7000-8000-000000000001",
                    "purpose": "treatment",
                    "classes": ["clinical"],
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        form = ForecastForm(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        segment = Segment.objects.filter(pk=given["segment"]).first()
        if segment is None:
            raise _wrong("/segment", "There is no such segment in your organisation.")
        try:
            betrayed = audience.betrays(audience.of(segment.pk))
        except DefinitionInvalid:
            raise _wrong("/segment", "The segment is broken: mend it first.") from None
        asked = _asked(given, betrayed | frozenset(segment.labels))
        people = membership.members(segment) + first_id(tenancy.current())
        told = foretelling.count(people.tolist(), asked, now=self.now)
        detail = {"count": told.asked}
        trail.record("protection.forecast", subject=f"segment:{segment.pk}", detail=detail)
        channel = () if asked.channel == "email" else (asked.channel,)
        about = ("forecast", str(segment.pk), asked.purpose, *channel, *sorted(asked.classes))
        tell = teller(betrayed, Machine(self.key()), *about, free=False)
        labels = forecast.labels(asked.channel)
        tell.ask({("", name): told.by_way[name] for name in labels})
        said = {name: tell("", name, told.by_way[name]) for name in labels}
        words = [f"{said[name]} {label}" for name, label in labels.items()
                 if told.by_way[name] or not tell.reader.exact]  # fmt: skip
        return Response(
            {
                "members": tell("", "members", told.members).number,
                "asked": tell("", "asked", told.asked).number,
                "whole": told.asked == told.members,
                "exact": tell.reader.exact,
                "ways": {name: one.number for name, one in said.items()},
                "why": _why(told) if tell.reader.exact else [],
                "in_words": ", ".join(words),
            }
        )


def _asked(given: dict[str, Any], betrayed: frozenset[str]) -> GateRequest:
    """Return the message that is asked about: a template's, or one described."""
    if ("template" in given) == ("purpose" in given):
        raise _wrong("/purpose", "Give either a template, or a purpose with classes.")
    if "template" in given and "channel" in given:
        raise _wrong("/channel", "A template says itself by which channel it goes.")
    if "purpose" in given:
        classes = betrayed | frozenset(given.get("classes", ()))
        return GateRequest(0, given["purpose"], given.get("channel", "email"), classes)
    if "classes" in given:
        raise _wrong("/classes", "A template says itself what it tells of a person.")
    known = Template.objects.filter(pk=given["template"]).exists()
    version = versions.latest_approved(given["template"]) if known else None
    if version is None:
        raise _wrong("/template", "There is no approved version of it in your organisation.")
    loaded = versions.load({version.id})[version.id]
    return GateRequest(
        0,
        version.purpose,
        loaded.channel,
        loaded.data_classes | betrayed,
        loaded.topic,
        loaded.remuneration,
        drug=loaded.drug,
        new_formulation=loaded.new_formulation,
    )


def _why(told: Forecast) -> list[dict[str, Any]]:
    """Return what holds the blocked ones, the most frequent first."""
    return [
        {"code": code, "people": count, "sentence": why.sentence, "remedy": why.remedy}
        for code, count in told.why.most_common()
        if (why := reasons.explain(code))
    ]


def _wrong(pointer: str, detail: str) -> Exception:
    return invalid([Fault(pointer, detail)])
