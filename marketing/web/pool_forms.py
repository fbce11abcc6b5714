"""The forms of pools: by which carrier each leaves, under which agreement, how much and when."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from messaging import sender
from messaging.hearing import providers
from messaging.models import Pool
from messaging.pools import lanes

OTHER = ("other", "Every other domain, together")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|MG[0-9a-f]{32}|[A-Za-z0-9 ]{3,11}")
CARRIERS_OF_TEXTS = [
    (Pool.Carrier.INSTALLATION, "The installation's gateway"),
    (Pool.Carrier.PROVIDER, "Twilio, by an account of our own"),
    (Pool.Carrier.WEBHOOK, "A gateway that takes signed JSON"),
]


def _date(label: str, hint: str = "") -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"})
    return forms.DateField(label=label, required=False, help_text=hint, widget=widget)


def _time(label: str, hint: str = "") -> forms.TimeField:
    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    return forms.TimeField(label=label, required=False, help_text=hint, widget=widget)


def _secret(label: str, hint: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=400,
        help_text=f"{hint} Kept sealed and never shown. Empty keeps the one there is.".strip(),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class _Carried(forms.Form):
    """What the pools of mail and of texts have in common."""

    own = forms.BooleanField(label="It is our own machine: no vendor sees messages", required=False)
    agreement_from = _date("Business associate agreement from")
    agreement_until = _date("Until")
    connections = forms.IntegerField(label="Connections at once", min_value=1, max_value=32)
    per_minute = forms.IntegerField(
        label="Messages a minute, at most", required=False, min_value=1, help_text="Empty: no limit"
    )
    opens = _time("Send window from", "By the recipient's clock. Empty: around the clock.")
    closes = _time("Send window to")
    url = forms.CharField(
        label="Address of the gateway",
        required=False,
        max_length=500,
        help_text="Its host must be among CALL_HOSTS. The contract stands in docs/gateway.md.",
    )

    def __init__(self, *args: Any, standing: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.standing = standing
        """Whether a secret is kept already."""

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if bool(given.get("opens")) != bool(given.get("closes")):
            self.add_error("closes", "Give both ends of the send window, or none.")
        elif given.get("opens") and given["opens"] == given["closes"]:
            self.add_error("closes", "Begin and end are the same; give two different times.")
        if given.get("carrier") == Pool.Carrier.WEBHOOK:
            self._check_gateway(given)
        return given

    def _check_gateway(self, given: dict[str, Any]) -> None:
        if wrong := sender.gateway_problem(given.get("url") or ""):
            self.add_error("url", wrong)
        if given.get("secret"):
            if wrong := sender.secret_problem(given["secret"]):
                self.add_error("secret", f"Give a secret as whsec_ and base64: {wrong}.")
        elif not self.standing:
            self.add_error("secret", "Give the secret that both sides sign with.")

    def _check_agreement(self, given: dict[str, Any]) -> None:
        begun, ends = given.get("agreement_from"), given.get("agreement_until")
        if not given.get("own") and not begun:
            self.add_error(
                "agreement_from", "Say since when the vendor's agreement counts, or that it is own."
            )
        if begun and ends and ends < begun:
            self.add_error("agreement_until", "It ends before it begins.")


class PoolForm(_Carried):
    mail_from = forms.EmailField(
        label="From address",
        required=False,
        help_text="Empty means the organisation's. An address of its own keeps one pool's "
        "reputation apart from the others'.",
    )
    carrier = forms.ChoiceField(
        label="Carried by", choices=Pool.Carrier.choices, widget=forms.RadioSelect
    )
    host = forms.CharField(label="Relay", required=False, max_length=253)
    port = forms.IntegerField(label="Port", min_value=1, max_value=65535, initial=587)
    security = forms.ChoiceField(label="Line to the relay", choices=Pool.Security.choices)
    onward = forms.ChoiceField(
        label="Behind the relay, provider or gateway", choices=Pool.Onward.choices
    )
    provider = forms.ChoiceField(
        label="Provider", required=False, choices=[("", "None"), *sender.MAIL_PROVIDERS.items()]
    )
    sender_domain = forms.CharField(
        label="Domain of the account",
        required=False,
        max_length=253,
        help_text="Mailgun asks for it where it differs from the From address's.",
    )
    user = forms.CharField(
        label="User name, or public key",
        required=False,
        max_length=120,
        help_text="At the relay; of Mailjet the API key.",
    )
    secret = _secret("Password, or key", "Of a gateway the secret that both sides sign with.")
    warm_up_from = _date("Warming up since", "Empty: the address is known to providers.")
    warm_up_first = forms.IntegerField(
        label="To each provider on the first day",
        min_value=1,
        max_value=10_000,
        help_text="It doubles every day.",
    )
    at_best_hour = forms.BooleanField(
        label="Send at the hour at which the person opened mails before", required=False
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        match given.get("carrier"):
            case Pool.Carrier.RELAY:
                self._check_relay(given)
            case Pool.Carrier.WEBHOOK:
                self._check_agreement(given)
            case Pool.Carrier.PROVIDER:
                self._check_provider(given)
        return given

    def _check_relay(self, given: dict[str, Any]) -> None:
        if not given.get("host"):
            self.add_error("host", "Name the relay, such as relay.example.org.")
        local = given.get("host") in ("localhost", "127.0.0.1", "::1")
        if given.get("security") == Pool.Security.SAME_HOST and not local:
            self.add_error("security", "Only for a relay on this machine; use STARTTLS or TLS.")
        self._check_agreement(given)

    def _check_provider(self, given: dict[str, Any]) -> None:
        """Without an agreement a provider carries only mail that says nothing of a person."""
        if not given.get("provider"):
            self.add_error("provider", "Choose the provider.")
        elif given.get("url") and (wrong := sender.api_problem(given["provider"], given["url"])):
            self.add_error("url", wrong)
        if given.get("provider") == "mailjet" and not given.get("user"):
            self.add_error("user", "Give Mailjet's API key; the secret key is the password.")
        if not given.get("secret") and not self.standing:
            self.add_error("secret", "Give the provider's key.")
        given["own"] = False
        if given.get("agreement_from") or given.get("agreement_until"):
            self._check_agreement(given)


class TextPoolForm(_Carried):
    """A pool of text messages: a number instead of an address, a gateway instead of a relay."""

    carrier = forms.ChoiceField(
        label="Carried by", choices=CARRIERS_OF_TEXTS, widget=forms.RadioSelect
    )
    number = forms.CharField(
        label="Number that texts come from",
        required=False,
        max_length=34,
        help_text="Such as +16175550100, a short code, or a Twilio messaging service (MG…). "
        "Empty: the installation's.",
    )
    user = forms.CharField(
        label="Account SID",
        required=False,
        max_length=64,
        help_text="Twilio's: AC and 32 characters.",
    )
    secret = _secret(
        "Auth token, or secret", "Twilio's, or what both sides of a gateway sign with."
    )

    field_order = ("carrier", "number", "user", "url", "secret")

    def clean_number(self) -> str:
        number = str(self.cleaned_data["number"]).strip()
        if number and not _NUMBER.fullmatch(number):
            raise forms.ValidationError("Write it with its country, such as +16175550100.")
        return number

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        carrier = given.get("carrier")
        if carrier == Pool.Carrier.PROVIDER:
            self._check_twilio(given)
        if carrier != Pool.Carrier.INSTALLATION:
            self._check_agreement(given)
            if not given.get("number"):
                self.add_error("number", "Give the number that this account sends from.")
        given["provider"] = "twilio" if carrier == Pool.Carrier.PROVIDER else ""
        return given

    def _check_twilio(self, given: dict[str, Any]) -> None:
        if not re.fullmatch(r"AC[0-9a-f]{32}", given.get("user") or ""):
            self.add_error("user", "Give the account SID: AC and 32 characters, from the console.")
        if not given.get("secret") and not self.standing:
            self.add_error("secret", "Give the account's auth token.")
        given["url"], given["own"] = "", False


class DestinationForm(forms.Form):
    provider = forms.ChoiceField(
        label="Mailbox provider", choices=[*((n, n.title()) for n in providers.NAMES), OTHER]
    )
    per_minute = forms.IntegerField(label="Messages a minute", required=False, min_value=1)
    connections = forms.IntegerField(label="Connections at once", required=False, min_value=1)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("per_minute") and not given.get("connections"):
            self.add_error("per_minute", "Limit messages a minute, connections, or both.")
        return given


def form_of(kind: str) -> type[PoolForm] | type[TextPoolForm]:
    return TextPoolForm if kind in lanes.OF_TEXTS else PoolForm
