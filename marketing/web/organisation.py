"""What the organisation says of itself: in every mail, on every page that patients see."""

from __future__ import annotations

import zoneinfo

from django import forms
from django.contrib import messages
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import organisations, tenancy
from accounts.guard import requires, staff_of
from accounts.models import Organisation
from accounts.roles import Permission

SEE = Permission.FIELDS_VIEW
CHANGE = Permission.ORGANISATION_MANAGE

_UNSEEN = r"[\x00-\x1f\x7f\u2028\u2029]"
in_one_line = RegexValidator(
    _UNSEEN, "It holds a character that cannot be seen: type it anew.", inverse_match=True
)
MOST_LINES = 6


class Said(forms.Form):
    """What patients know the organisation by."""

    name = forms.CharField(
        label="Name", max_length=120, help_text="As patients know it.", validators=[in_one_line]
    )
    postal_address = forms.CharField(
        label="Postal address",
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Where mail of the post reaches you: a street, or a registered post office box."
        " It stands at the foot of every commercial mail, as CAN-SPAM asks.",
    )
    mail_from = forms.EmailField(
        label="Sender address",
        required=False,
        help_text="Where a pool has no address of its own. Empty: an address of the"
        " installation’s domain.",
    )
    timezone = forms.ChoiceField(
        label="Time zone",
        choices=[(one, one.replace("_", " ")) for one in sorted(zoneinfo.available_timezones())],
        help_text="Of this interface, and of people of whom neither time zone nor State is known.",
    )

    def clean_postal_address(self) -> str:
        """Return its lines, each without space around it."""
        lines = [line.strip() for line in str(self.cleaned_data["postal_address"]).splitlines()]
        lines = [line for line in lines if line]
        for line in lines:
            in_one_line(line)
        if len(lines) > MOST_LINES:
            raise forms.ValidationError(f"At most {MOST_LINES} lines fit an envelope.")
        return "\n".join(lines)


@requires(SEE, changing=CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def organisation(request: HttpRequest) -> HttpResponse:
    """Show what the organisation says of itself; let administrators change it."""
    ours = Organisation.objects.get(id=tenancy.current())
    if request.method != "POST":
        said = {name: getattr(ours, name) for name in Said.base_fields}
        return _show(request, ours, Said(initial=said))
    form = Said(request.POST)
    if not form.is_valid():
        return _show(request, ours, form, status=422)
    if organisations.change(ours, form.cleaned_data):
        messages.success(request, "Saved. It counts for every mail that is made from now on.")
    else:
        messages.info(request, "It said so already.")
    return redirect("organisation")


def _show(
    request: HttpRequest, ours: Organisation, form: Said, *, status: int = 200
) -> HttpResponse:
    context = {"ours": ours, "form": form, "may_change": staff_of(request).may(CHANGE)}
    return render(request, "settings/organisation.html", context, status=status)
