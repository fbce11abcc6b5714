"""The forms of templates."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms

from consent.purposes import Remuneration
from contacts import code_groups
from contacts.declared.models import CodeGroup
from contacts.fields import DataClass
from marketing.web import naming
from messaging.models import CHANNELS, PURPOSES, Template
from messaging.pools import lanes

CLASSES = [(kind.value, kind.value.replace("_", " ").capitalize()) for kind in DataClass]


class Naming(forms.Form):
    name = forms.CharField(max_length=120, label="Name")
    purpose = forms.ChoiceField(
        choices=PURPOSES,
        label="Purpose",
        help_text="Decides which consent it needs. Marketing needs a signed authorization.",
    )


class Beginning(Naming):
    channel = forms.ChoiceField(
        label="Sent as",
        choices=CHANNELS,
        initial=lanes.EMAIL,
        required=False,
        widget=forms.RadioSelect,
        help_text="It stays so. A text message is open to whoever sees the phone.",
    )

    def clean_channel(self) -> str:
        return str(self.cleaned_data["channel"] or lanes.EMAIL)


class TakingOver(Naming):
    """A mail made elsewhere."""

    html = forms.CharField(
        label="Its HTML",
        max_length=1_000_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="Scripts, forms and pictures of other hosts are left out.",
    )


class Editing(forms.ModelForm):  # type: ignore[type-arg]
    """The draft. Saving it keeps the work; making a version needs a draft without problems."""

    declared = forms.MultipleChoiceField(
        required=False,
        label="Fields that it may read",
        help_text="Only these are decrypted when it is sent.",
        widget=forms.CheckboxSelectMultiple,
    )

    payer = forms.CharField(
        max_length=120,
        required=False,
        label="Who pays for sending it",
        help_text="Empty where nobody outside the organisation does.",
    )
    product_of = forms.CharField(
        max_length=120,
        required=False,
        label="Whose product or service it describes",
        help_text="Payment by that party makes it marketing, whatever its purpose.",
    )
    on_behalf = forms.BooleanField(required=False, label="The payer acts for that party")
    kind = forms.ChoiceField(
        choices=[("cash", "Cash"), ("in_kind", "In kind")], required=False, label="Paid in"
    )
    amount = forms.IntegerField(
        min_value=0, required=False, label="Payment for each message, in cents"
    )
    cost = forms.IntegerField(
        min_value=0,
        required=False,
        label="What sending one costs, in cents",
        help_text="Refill reminders may be paid for up to their cost.",
    )

    class Meta:
        model = Template
        fields = (
            "name", "purpose", "topic", "subject", "mjml", "text", "declared", "new_formulation",
            "drug", "audience",
        )  # fmt: skip
        labels = {
            "mjml": "Body (MJML)",
            "text": "Text part",
            "subject": "Subject",
            "topic": "Topic that a person can say no to",
            "new_formulation": "It names a new formulation of a drug",
            "drug": "The drug that it reminds of (refills)",
        }
        widgets = {
            "subject": forms.TextInput(attrs={"maxlength": 200}),
            "mjml": forms.Textarea(attrs={"spellcheck": "false", "rows": 24}),
            "text": forms.Textarea(attrs={"rows": 12, "placeholder": "Made from the body"}),
        }

    audience = forms.MultipleChoiceField(
        required=False,
        label="Being among its recipients says",
        help_text="What whoever sees that a person got it learns. Reviewers approve it for that.",
        choices=CLASSES,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = naming.choices_for(self.instance.declared or ())
        self.fields["declared"].choices = offered  # type: ignore[attr-defined]
        self.fields["purpose"].required = False
        drugs = CodeGroup.objects.filter(archived_at=None).order_by("name")
        self.fields["drug"] = forms.TypedChoiceField(
            label="The drug that it reminds of (refills)",
            choices=[("", "None"), *((str(one.pk), _named(one)) for one in drugs)],
            coerce=UUID,
            empty_value=None,
            required=False,
            help_text="A code group of the brand and its generics. Who takes none of them, or "
            "whose prescription lapsed more than 90 days ago, gets no reminder.",
        )
        for name in ("subject", "mjml", "text"):
            self.fields[name].required = False
            self.fields[name].strip = False  # type: ignore[attr-defined]
        if self.instance.channel == lanes.SMS:
            del self.fields["subject"], self.fields["mjml"]
            self.fields["text"].label = "Words"
            self.fields["text"].widget.attrs |= {"rows": 5, "placeholder": ""}
        for name, value in (self.instance.remuneration or {}).items():
            self.fields[name].initial = value

    def clean_purpose(self) -> str:
        """Keep the purpose that it has where none is given: there is none without."""
        return str(self.cleaned_data["purpose"] or self.instance.purpose)

    def clean(self) -> dict[str, Any]:
        """Keep who pays on the draft; a payer without a product would decide nothing."""
        given = super().clean() or {}
        if given.get("payer") and not given.get("product_of"):
            self.add_error("product_of", "Say whose product it describes; it may be the payer's.")
        paid = Remuneration(
            payer=given.get("payer") or "",
            product_of=given.get("product_of") or "",
            kind=given.get("kind") or "cash",
            amount=given.get("amount") or 0,
            cost=given.get("cost") or 0,
            on_behalf=bool(given.get("on_behalf")),
        )
        self.instance.remuneration = paid.stored() if paid.payer else None
        return given


def _named(group: CodeGroup) -> str:
    """Return the group's name, unless its codes carry a label that not every author may see."""
    if code_groups.labels_of(group.pk):
        return f"A group with a sensitive label ({str(group.pk)[-6:]})"
    return group.name


class Choosing(forms.Form):
    number = forms.CharField(max_length=200, label="Record number of the contact")
