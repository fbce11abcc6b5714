"""Settings of topics: what people can say no to by itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from consent.choices import topics
from consent.ledger import ConsentInvalid
from consent.models import Topic
from messaging.words import LANGUAGES

SEE = Permission.DELIVERY_VIEW
CHANGE = Permission.ORGANISATION_MANAGE


class Worded(forms.Form):
    """Name and description in every language that the public pages speak."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, language in LANGUAGES.items():
            for part, label in (("name", "Name"), ("about", "What it is about")):
                self.fields[f"{part}_{code}"] = forms.CharField(
                    label=f"{label}, {language}",
                    max_length=topics.LONGEST[part],
                    required=code == "en" and part == "name",
                )

    def words(self) -> dict[str, dict[str, str]]:
        return {
            code: {part: self.cleaned_data[f"{part}_{code}"] for part in topics.LONGEST}
            for code in LANGUAGES
        }


class Adding(Worded):
    key = forms.SlugField(
        label="Key",
        max_length=64,
        help_text="What message templates name as their topic. It never changes.",
    )


def _initial(row: Topic) -> dict[str, str]:
    return {
        f"{part}_{code}": said.get(part, "")
        for code, said in row.words.items()
        for part in topics.LONGEST
    }


@requires(SEE, changing=CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def topics_list(request: HttpRequest) -> HttpResponse:
    form = Adding(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            topics.add(form.cleaned_data["key"], form.words(), now=timezone.now())
        except ConsentInvalid as wrong:
            form.add_error("key", str(wrong))
        else:
            messages.success(request, "The topic is on the preference page now.")
            return redirect("topics")
    context = {
        "topics": Topic.objects.order_by("archived_at", "position", "key"),
        "form": form,
        "may_change": staff_of(request).may(CHANGE),
    }
    return render(request, "settings/topics.html", context, status=422 if form.errors else 200)


@requires(SEE, changing=CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, topic_id: UUID) -> HttpResponse:
    row = get_object_or_404(Topic, id=topic_id)
    form = Worded(request.POST if request.method == "POST" else None, initial=_initial(row))
    if request.method == "POST" and form.is_valid():
        topics.change(row, form.words())
        messages.success(request, "Said in other words from now on.")
        return redirect("topics")
    context = {"topic": row, "form": form, "may_change": staff_of(request).may(CHANGE)}
    return render(request, "settings/topic.html", context, status=422 if form.errors else 200)


@requires(CHANGE)
@require_POST
def archive(request: HttpRequest, topic_id: UUID) -> HttpResponse:
    topics.archive(get_object_or_404(Topic, id=topic_id), now=timezone.now())
    messages.success(request, "Offered no more. What people refused stays refused.")
    return redirect("topics")


@requires(CHANGE)
@require_POST
def restore(request: HttpRequest, topic_id: UUID) -> HttpResponse:
    topics.restore(get_object_or_404(Topic, id=topic_id))
    messages.success(request, "Offered again.")
    return redirect("topics")
