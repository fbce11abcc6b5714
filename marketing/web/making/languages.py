"""A template in other languages, and how many of an audience would get which (AC-02)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from contacts.fields import DataClass
from contacts.segments import told as telling
from contacts.segments.models import Segment
from marketing.web import segment_sight
from marketing.web.making import tabs
from marketing.web.making.editor import checked
from messaging.making import comparing, spoken
from messaging.making import languages as translating
from messaging.making.comparing import Part
from messaging.models import Template, Translation
from messaging.templates_compile import LANGUAGE

NAMES = {
    "en": "English", "es": "Spanish", "zh": "Chinese", "vi": "Vietnamese", "ko": "Korean",
    "tl": "Tagalog", "ru": "Russian", "ar": "Arabic", "fr": "French", "ht": "Haitian Creole",
    "pt": "Portuguese", "pl": "Polish", "de": "German", "hi": "Hindi", "so": "Somali",
}  # fmt: skip


def told(language: str) -> str:
    """Return a language's name in words, or its code where there is none."""
    return NAMES.get(language, language)


def sheets(chosen: Template, here: Template | Translation) -> list[dict[str, Any]]:
    """Return the languages that can be drawn, the template's own first."""
    drawn: list[Template | Translation] = [chosen, *chosen.translations.order_by("language")]
    return [
        {
            "language": one.language,
            "name": told(one.language),
            "here": one.language == here.language,
            "lags": isinstance(one, Translation) and translating.lags(chosen, one),
        }
        for one in drawn
    ]


class Adding(forms.Form):
    language = forms.ChoiceField(label="Language", choices=list(NAMES.items()))

    def __init__(self, *args: Any, taken: set[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(code, name) for code, name in NAMES.items() if code not in taken]
        self.fields["language"].choices = choices  # type: ignore[attr-defined]


class Own(forms.Form):
    language = forms.CharField(max_length=16, label="Its own language, and the fallback")

    def clean_language(self) -> str:
        code = str(self.cleaned_data["language"]).strip()
        if not LANGUAGE.fullmatch(code):
            raise forms.ValidationError("Give a code such as en, es or pt-BR.")
        return code


class Translating(forms.ModelForm):  # type: ignore[type-arg]
    current = forms.BooleanField(
        label="It says what the main words say now",
        help_text="Tick it once you have held the two against each other.",
    )

    class Meta:
        model = Translation
        fields = ("subject", "mjml", "text")
        labels = {"subject": "Subject", "mjml": "Body (MJML)", "text": "Text part"}
        widgets = {
            "subject": forms.TextInput(attrs={"maxlength": 200}),
            "mjml": forms.Textarea(attrs={"spellcheck": "false", "rows": 24}),
            "text": forms.Textarea(attrs={"rows": 12, "placeholder": "Made from the body"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not translating.lags(self.instance.template, self.instance):
            del self.fields["current"]
        if self.instance.template.is_text:
            del self.fields["subject"], self.fields["mjml"]
            self.fields["text"].label = "Words"
        for name, field in self.fields.items():
            field.required = False
            if name != "current":
                field.strip = False  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
@requires(Permission.TEMPLATES_VIEW, changing=Permission.TEMPLATES_EDIT)
def page(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """List the languages of a template; begin another from its own."""
    chosen = get_object_or_404(Template, id=template_id)
    rows = list(chosen.translations.order_by("language"))
    taken = {chosen.language, *(row.language for row in rows)}
    adding, own = Adding(taken=taken), Own(initial={"language": chosen.language})
    if request.method == "POST" and request.POST.get("act") == "own":
        own = Own(request.POST)
        if own.is_valid() and own.cleaned_data["language"] not in taken - {chosen.language}:
            chosen.language, chosen.changed_at = own.cleaned_data["language"], timezone.now()
            chosen.save(update_fields=["language", "changed_at"])
            messages.success(request, "Kept.")
            return redirect("template-languages", chosen.id)
    elif request.method == "POST":
        adding = Adding(request.POST, taken=taken)
        if adding.is_valid():
            return _begin(request, chosen, adding.cleaned_data["language"])
    staff = staff_of(request)
    may_count = staff.may(Permission.SEGMENTS_VIEW)
    context = {
        "template": chosen,
        "tabs": tabs.of(chosen, "template-languages"),
        "own": (chosen.language, told(chosen.language)),
        "rows": [(row, told(row.language), translating.lags(chosen, row)) for row in rows],
        "adding": adding,
        "own_form": own,
        "segments": _segments(request) if may_count else [],
        "may_edit": staff.may(Permission.TEMPLATES_EDIT),
    }
    return render(request, "messaging/languages.html", context)


def _begin(request: HttpRequest, chosen: Template, language: str) -> HttpResponse:
    """Begin with the template's own words, for the translator to write over."""
    translating.begin(chosen, language, now=timezone.now())
    messages.success(request, "It begins with the words as they are: write over them.")
    return redirect("template-language", chosen.id, language)


def _segments(request: HttpRequest) -> list[tuple[str, str]]:
    staff = staff_of(request)
    rows = Segment.objects.filter(archived_at=None, status=Segment.Status.VALID)
    found = [(str(row.id), segment_sight.of(row, staff).title) for row in rows[:200]]
    return sorted(found, key=lambda each: each[1].lower())


@require_http_methods(["GET", "POST"])
@requires(Permission.TEMPLATES_VIEW, changing=Permission.TEMPLATES_EDIT)
def one(request: HttpRequest, template_id: UUID, language: str) -> HttpResponse:
    """Write one language beside the template's own words."""
    chosen = get_object_or_404(Template, id=template_id)
    row = get_object_or_404(Translation, template=chosen, language=language)
    form = Translating(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data.get("current"):
            translating.hold(chosen, row)
        translating.keep(row, now=timezone.now())
        messages.success(request, "Draft saved. A version takes all languages together.")
        return redirect("template-language", chosen.id, language)
    context = {
        "template": chosen,
        "row": row,
        "name": told(language),
        "form": form,
        "changed": _since(chosen, row),
        "may_edit": staff_of(request).may(Permission.TEMPLATES_EDIT),
    } | checked(chosen)
    return render(request, "messaging/language.html", context)


def _since(chosen: Template, row: Translation) -> list[Part]:
    """Return what changed in the main words since the translation was held against them."""
    if row.main is None or not translating.lags(chosen, row):
        return []
    titles = {"subject": "Subject", "mjml": "Body (MJML)", "text": "Text part"}
    now = translating.words(chosen)
    parts = [comparing.part(titles[name], row.main[name], now[name]) for name in titles]
    return [part for part in parts if part.differs]


@require_POST
@requires(Permission.TEMPLATES_EDIT)
def remove(request: HttpRequest, template_id: UUID, language: str) -> HttpResponse:
    """Take a language out of the draft; versions keep theirs."""
    chosen = get_object_or_404(Template, id=template_id)
    chosen.translations.filter(language=language).delete()
    messages.success(request, "Taken out of the draft.")
    return redirect("template-languages", chosen.id)


@require_safe
@requires(Permission.SEGMENTS_VIEW)
def who_gets_which(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Count a segment's members by the language that each would get."""
    chosen = get_object_or_404(Template, id=template_id)
    asked = request.GET.get("segment", "")
    try:
        segment = segment_sight.found(UUID(asked))
    except ValueError:
        return render(request, "messaging/_spoken.html", {"rows": []})
    staff, now = staff_of(request), timezone.now()
    sight = segment_sight.of(segment, staff)
    others = list(chosen.translations.values_list("language", flat=True))
    found: Counter[str] = spoken.by_language(segment, chosen.language, others, now=now)
    # Which language people speak is of a class of its own, whatever the segment asks.
    asking = telling.reader(
        {*sight.classes, DataClass.DEMOGRAPHIC.value}, staff.data_classes, asker=staff.pk, now=now
    )
    cells: dict[telling.Question, int] = {
        ("spoken", sight.question, code): count for code, count in found.items()
    }
    shown = asking.many(cells)
    context = {
        "title": sight.title,
        "rows": [(told(code), shown["spoken", sight.question, code]) for code in found],
        "fallback": told(chosen.language),
        "missing": _missing(segment, found, now=now) if asking.exact else [],
    }
    return render(request, "messaging/_spoken.html", context)


def _missing(segment: Segment, there: Counter[str], *, now: datetime) -> list[tuple[str, int]]:
    """Name the languages that members prefer and the template lacks. Only for who sees whole
    counts: which languages occur at all would tell others of small groups."""
    lacking = spoken.missing(segment, list(NAMES), list(there), now=now)
    return [(told(code), count) for code, count in lacking.most_common()]
