"""Sign-up forms of the organisation: made once, put on its web pages, archived."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from consent.choices import sign_ups, topics
from consent.ledger import ConsentInvalid
from consent.models import SignUpForm
from marketing.web import public_sign_up
from marketing.web.sending import CHANNELS
from messaging.models import TemplateVersion
from messaging.words import LANGUAGES


class Making(forms.Form):
    name = forms.CharField(label="Name", max_length=120)
    confirmation = forms.ChoiceField(
        label="Mail that asks for confirmation",
        help_text="An approved service notice that prints {{ links.choices }}.",
    )
    topics = forms.MultipleChoiceField(
        label="Topics", required=False, widget=forms.CheckboxSelectMultiple
    )
    channels = forms.MultipleChoiceField(
        label="Channels that the wording names",
        choices=CHANNELS,
        initial=["email"],
        widget=forms.CheckboxSelectMultiple,
    )
    sites = forms.CharField(
        label="Web sites that may show it in a frame",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One a line, such as https://www.clinic.example. None: no frame at all.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, language in LANGUAGES.items():
            self.fields[f"wording_{code}"] = forms.CharField(
                label=f"What people agree to, {language}",
                required=code == "en",
                max_length=4_000,
                widget=forms.Textarea(attrs={"rows": 5}),
            )
        mails = TemplateVersion.objects.filter(purpose="service_notice", approval__isnull=False)
        self.fields["confirmation"].choices = [  # type: ignore[attr-defined]
            (str(one.id), f"{one.template.name}, version {one.number}")
            for one in mails.select_related("template")
            if "links.choices" in one.mjml
        ]
        self.fields["topics"].choices = [  # type: ignore[attr-defined]
            (one.key, one.name()) for one in topics.current()
        ]

    def make(self) -> None:
        given = self.cleaned_data
        sign_ups.make(
            given["name"],
            {code: given[f"wording_{code}"] for code in LANGUAGES},
            confirmation=UUID(given["confirmation"]),
            topics=given["topics"],
            channels=given["channels"],
            sites=given["sites"].split(),
            now=timezone.now(),
        )


@requires(Permission.CONSENT_VIEW, changing=Permission.FORMS_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up_forms(request: HttpRequest) -> HttpResponse:
    form = Making(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            form.make()
        except ConsentInvalid as wrong:
            form.add_error(None, str(wrong))
        else:
            messages.success(request, "The form is live under its address.")
            return redirect("sign-up-forms")
    origin = settings.ATTUNE_PUBLIC_ORIGIN.rstrip("/")
    rows = SignUpForm.objects.order_by("archived_at", "name")
    context = {
        "forms": [(one, f"{origin}{public_sign_up.address_of(one)}") for one in rows],
        "form": form,
        "may_edit": staff_of(request).may(Permission.FORMS_EDIT),
    }
    return render(request, "consent/sign_ups.html", context, status=422 if form.errors else 200)


@requires(Permission.FORMS_EDIT)
@require_POST
def archive(request: HttpRequest, form_id: UUID) -> HttpResponse:
    sign_ups.archive(get_object_or_404(SignUpForm, id=form_id), now=timezone.now())
    messages.success(request, "Its address answers no more. Who confirmed stays signed up.")
    return redirect("sign-up-forms")
