"""Delivery, reports: what receivers say of mail in our name, and of TLS with our servers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from marketing.web.going_out import tabs
from messaging import sender
from messaging.domain_reports import ReportRefused, figures, keeping
from messaging.domain_reports.unpacking import LARGEST_PACKED


class Bringing(forms.Form):
    """One report as it came, packed or not."""

    report = forms.FileField(
        label="Report",
        help_text="A DMARC report (XML) or TLS report (JSON), as it came: .zip, .gz or unpacked.",
    )

    def clean_report(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["report"]
        if (file.size or 0) > LARGEST_PACKED:
            raise forms.ValidationError(
                f"The file is larger than {LARGEST_PACKED // 2**20} MB. Bring one report at a time."
            )
        return file


@requires(Permission.DELIVERY_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def reports(request: HttpRequest) -> HttpResponse:
    """Show thirty days of reports by source; take one in that somebody brings."""
    now = timezone.now()
    form = Bringing(request.POST, request.FILES) if request.method == "POST" else Bringing()
    if form.is_bound and form.is_valid():
        try:
            new = keeping.take(form.cleaned_data["report"].read(), source="upload", now=now)
        except ReportRefused as why:
            form.add_error("report", str(why))
        else:
            said = "The report is taken in." if new else "This report was known already."
            messages.success(request, said)
            return redirect("domain-reports")
    context: dict[str, Any] = {
        "form": form,
        "told": figures.of_period(own=settings.SENDING_ADDRESSES.split(), now=now),
        "domains": sorted(sender.domains()),
        "knows_own": bool(settings.SENDING_ADDRESSES),
        "tabs": tabs("domain-reports", staff_of(request)),
        "as_of": now,
    }
    status = 400 if form.is_bound else 200
    return render(request, "messaging/domain_reports.html", context, status=status)
