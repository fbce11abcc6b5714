"""The sample's phones: read a text as its patient would, and write back. Only in the sample.

Writing back is asked of the simulated gateway, which reports it as a gateway of the world does.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.guard import signed_in
from crypto.ids import uuid7
from deploy.phone_store import PhoneStore
from messaging import signed
from messaging.texts import length

PAGE = 50


class Writing(forms.Form):
    words = forms.CharField(
        label="Write back",
        max_length=1_600,
        help_text="STOP, HELP and START are answered within a second; all else waits for a reader.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


def _store() -> PhoneStore:
    if not settings.SAMPLE:
        raise Http404("there are phones in the sample only")
    return PhoneStore(settings.ATTUNE_PHONES)


@require_safe
@signed_in
def phones(request: HttpRequest) -> HttpResponse:
    """List the phones that the sample wrote to, the latest first."""
    found = _store().phones()
    return render(request, "phones/list.html", {"phones": found[:PAGE], "count": len(found)})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def phone(request: HttpRequest, key: str) -> HttpResponse:
    """Show one phone, and write on it."""
    texts = _store().texts(key)
    if not texts:
        raise Http404("no such phone")
    form = Writing(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not _written(texts[0].phone, form.cleaned_data["words"]):
            messages.error(request, "The gateway did not take it. Look whether it runs.")
        return redirect("phone", key)
    rows = [{"text": one, "length": length.of(one.words)} for one in texts[-PAGE:]]
    context: dict[str, Any] = {"rows": rows, "number": texts[0].phone, "form": form, "key": key}
    return render(request, "phones/phone.html", context)


def _written(number: str, words: str) -> bool:
    """Have the gateway write it on the phone; say whether our side took it."""
    body = json.dumps({"phone": number, "text": words}).encode()
    headers = signed.headers(
        body, number=uuid7().hex, secret=settings.TEXTS_SECRET, now=timezone.now()
    )
    address = f"{settings.TEXTS_URL.removesuffix('/messages')}/phone"
    asked = urllib.request.Request(address, body, headers)  # noqa: S310  on this machine
    try:
        with urllib.request.urlopen(asked, timeout=15) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except urllib.error.HTTPError as refused:
        refused.close()
        return False
    except OSError:
        return False
