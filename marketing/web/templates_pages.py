"""Templates: what each person will see, what it says of them, and who approved it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from audit import trail
from consent.purposes import Remuneration
from contacts import matching, registry, reveal
from contacts.fields import DataClass
from contacts.models import Contact
from messaging import sender, versions
from messaging.links import Addresses
from messaging.models import PURPOSES, Template, TemplateVersion
from messaging.portal.frame import framed
from messaging.render import NotRendered, Rendered, values_for
from messaging.sandbox import Problem
from messaging.templates_compile import TemplateInvalid

STARTER = """<mjml lang="en">
  <mj-head>
    <mj-title>Title of the mail</mj-title>
    <mj-preview>What people see before they open it</mj-preview>
    <mj-attributes>
      <mj-all font-family="Helvetica, Arial, sans-serif" />
      <mj-text font-size="17px" line-height="1.6" color="#1f2a37" />
    </mj-attributes>
  </mj-head>
  <mj-body background-color="#eef3f1">
    <mj-section background-color="#ffffff">
      <mj-column>
        <mj-text>Dear {{ contact.given_name | default("neighbor") }},</mj-text>
        <mj-text>Write here.</mj-text>
      </mj-column>
    </mj-section>
    <mj-section>
      <mj-column>
        <mj-text font-size="14px">{{ organisation.name }}, {{ organisation.postal_address }}<br />
          <a href="{{ links.unsubscribe }}">Stop these mails</a></mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>"""
STARTER_TEXT = """Dear {{ contact.given_name | default("neighbor") }},

Write here.

--
{{ organisation.name }}, {{ organisation.postal_address }}
Stop these mails: {{ links.unsubscribe }}
"""


class Naming(forms.Form):
    name = forms.CharField(max_length=120, label="Name")
    purpose = forms.ChoiceField(
        choices=PURPOSES,
        label="Purpose",
        help_text="Decides which consent it needs. Marketing needs a signed authorization.",
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
        )  # fmt: skip
        labels = {
            "mjml": "Body (MJML)",
            "text": "Text part",
            "subject": "Subject",
            "topic": "Topic that a person can say no to",
            "new_formulation": "It names a new formulation of a drug",
        }
        widgets = {
            "subject": forms.TextInput(attrs={"maxlength": 200}),
            "mjml": forms.Textarea(attrs={"spellcheck": "false", "rows": 24}),
            "text": forms.Textarea(attrs={"rows": 12}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["declared"].choices = [  # type: ignore[attr-defined]
            (field.key, field.label) for field in registry.current().values() if not field.archived
        ]
        self.fields["purpose"].required = False
        for name in ("subject", "mjml", "text"):
            self.fields[name].required = False
            self.fields[name].strip = False  # type: ignore[attr-defined]
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


class Choosing(forms.Form):
    number = forms.CharField(max_length=200, label="Record number of the contact")


@require_http_methods(["GET", "POST"])
@requires(Permission.TEMPLATES_VIEW, changing=Permission.TEMPLATES_EDIT)
def templates(request: HttpRequest) -> HttpResponse:
    """List the templates; begin a new one."""
    form = Naming(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return redirect("template", _begin(**form.cleaned_data).id)
    newest = Prefetch(
        "versions", TemplateVersion.objects.select_related("approval").order_by("-number")
    )
    rows = Template.objects.filter(archived_at=None).prefetch_related(newest).order_by("name")
    context = {
        "rows": [_row(each) for each in rows],
        "form": form,
        "may_edit": staff_of(request).may(Permission.TEMPLATES_EDIT),
    }
    return render(request, "messaging/templates.html", context)


def _begin(*, name: str, purpose: str) -> Template:
    now = timezone.now()
    base = slugify(name)[:70] or "template"
    taken = set(Template.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    slug = next(each for each in _slugs(base) if each not in taken)
    template = Template.objects.create(
        slug=slug,
        name=name,
        purpose=purpose,
        subject="News from {{ organisation.name }}",
        mjml=STARTER,
        text=STARTER_TEXT,
        declared=["given_name"],
        created_at=now,
        changed_at=now,
    )
    trail.record("template.created", subject=f"template:{template.id}")
    return template


def _slugs(base: str) -> Iterable[str]:
    yield base
    yield from (f"{base}-{number}" for number in range(2, 1000))


def _row(template: Template) -> dict[str, Any]:
    kept = list(template.versions.all())
    approved = next((each for each in kept if hasattr(each, "approval")), None)
    return {
        "template": template,
        "latest": kept[0] if kept else None,
        "approved": approved,
        "waits": bool(kept) and approved != kept[0],
    }


@require_http_methods(["GET", "POST"])
@requires(Permission.TEMPLATES_VIEW, changing=Permission.TEMPLATES_EDIT)
def template(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Edit the draft in code, with its problems and its versions beside it."""
    chosen = get_object_or_404(Template, id=template_id)
    form = Editing(request.POST or None, instance=chosen)
    if request.method == "POST" and form.is_valid():
        form.instance.changed_at = timezone.now()
        form.save()
        if request.POST.get("act") == "version":
            return _make_version(request, chosen)
        messages.success(request, "Draft saved.")
        return redirect("template", chosen.id)
    return render(request, "messaging/template.html", _editor(request, chosen, form))


def _make_version(request: HttpRequest, chosen: Template) -> HttpResponse:
    try:
        version = versions.save(chosen, now=timezone.now())
    except TemplateInvalid as error:
        messages.error(request, f"Draft saved. It has {len(error.problems)} problems: no version.")
    else:
        messages.success(request, f"Version {version.number} waits for another person's approval.")
    return redirect("template", chosen.id)


def _editor(request: HttpRequest, chosen: Template, form: Editing) -> dict[str, Any]:
    staff = staff_of(request)
    kept = chosen.versions.select_related("approval").order_by("-number")[:20]
    authors = _names(kept)
    return {
        "template": chosen,
        "form": form,
        "choosing": Choosing(),
        "may_edit": staff.may(Permission.TEMPLATES_EDIT),
        "versions": [
            {
                "version": each,
                "author": authors.get(each.author_id, each.author_id),
                "approver": authors.get(each.approval.approver_id, "the system")
                if hasattr(each, "approval")
                else "",
                "may_approve": _may_approve(staff, each),
            }
            for each in kept
        ],
        "becomes": dict(PURPOSES).get(versions.becomes(chosen), ""),
    } | _checked(chosen)


def _may_approve(staff: User, version: TemplateVersion) -> bool:
    own = version.author_id == str(staff.pk)
    return staff.may(Permission.TEMPLATES_APPROVE) and not own and not hasattr(version, "approval")


def _names(kept: Iterable[TemplateVersion]) -> dict[str, str]:
    ids = {each.author_id for each in kept}
    ids |= {each.approval.approver_id for each in kept if hasattr(each, "approval")}
    known = User.objects.filter(pk__in=[each for each in ids if len(each) == 36])
    return {str(pk): name for pk, name in known.values_list("pk", "name")} | {
        each: f"the system ({each})" for each in ids if len(each) != 36
    }


PARTS = {"subject": "Subject", "mjml": "Body", "text": "Text part", "fields": "Fields"}


def _checked(draft: Template) -> dict[str, Any]:
    """Return the draft's problems, or what it would say of a person."""
    try:
        compiled = versions.problems_free(draft)
    except TemplateInvalid as error:
        return {"problems": _shown(error.problems), "warnings": [], "compiled": None}
    return {"problems": [], "warnings": _shown(compiled.warnings), "compiled": compiled}


def _shown(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    return [
        {"part": PARTS[each.part], "line": each.line, "message": each.message} for each in problems
    ]


@require_POST
@requires(Permission.TEMPLATES_EDIT)
def problems(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Say what is wrong with what stands in the editor now; nothing is saved."""
    chosen = get_object_or_404(Template, id=template_id)
    form = Editing(request.POST, instance=chosen)
    form.is_valid()  # fills the instance, also where a name is missing
    return render(request, "messaging/_problems.html", _checked(form.instance))


@require_POST
@requires(Permission.TEMPLATES_APPROVE)
def approve(request: HttpRequest, template_id: UUID, number: int) -> HttpResponse:
    """Approve one version, as another person than its author."""
    version = get_object_or_404(TemplateVersion, template_id=template_id, number=number)
    try:
        versions.approve(version, now=timezone.now())
    except versions.ApprovalRefused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Version {number} may be used in workflows.")
    return redirect("template", template_id)


@require_http_methods(["GET", "POST"])
@requires(Permission.TEMPLATES_VIEW)
def preview(request: HttpRequest, template_id: UUID, number: int) -> HttpResponse:
    """Show a version with nobody's values, or as a chosen contact would get it."""
    version = _version(template_id, number)
    if request.method == "POST":
        return _choose(request, version)
    contact = _contact(request)
    error = ""
    try:
        said = rendered(version, contact)
    except (NotRendered, reveal.RevealRefused) as refused:
        said, error = None, why_not(refused)
    body = reverse("template-body", args=[template_id, number])
    context = {
        "version": version,
        "said": said,
        "error": error,
        "contact": contact,
        "choosing": Choosing(),
        "may_choose": staff_of(request).may(Permission.CONTACTS_SEARCH),
        "approved": hasattr(version, "approval"),
        "may_approve": _may_approve(staff_of(request), version),
        "body": f"{body}?contact={contact.public_id}" if contact else body,
    }
    return render(request, "messaging/preview.html", context)


@require_safe
@requires(Permission.TEMPLATES_VIEW)
def preview_body(request: HttpRequest, template_id: UUID, number: int) -> HttpResponse:
    try:
        return framed(rendered(_version(template_id, number), _contact(request)).html)
    except (NotRendered, reveal.RevealRefused):
        return framed("<head></head>")


def _version(template_id: UUID, number: int) -> TemplateVersion:
    return get_object_or_404(
        TemplateVersion.objects.select_related("template"), template_id=template_id, number=number
    )


def _choose(request: HttpRequest, version: TemplateVersion) -> HttpResponse:
    """Find the contact by exact record number, sent in a body: numbers stay out of URLs."""
    form = Choosing(request.POST)
    here = reverse("template-preview", args=[version.template_id, version.number])
    if not staff_of(request).may(Permission.CONTACTS_SEARCH):
        messages.error(request, "Your role may not look contacts up.")
        return redirect(here)
    found = matching.find("record_number", form.data.get("number", "")) if form.is_valid() else []
    if len(found) != 1:
        messages.error(request, "Nobody, or more than one, has this record number. Give it whole.")
        return redirect(here)
    return redirect(f"{here}?contact={found[0].public_id}")


def _contact(request: HttpRequest) -> Contact | None:
    chosen = request.GET.get("contact", "")
    if not chosen:
        return None
    try:
        public_id = UUID(chosen)
    except ValueError:
        return None
    return get_object_or_404(Contact, public_id=public_id, erased_at=None)


def rendered(version: TemplateVersion, contact: Contact | None) -> Rendered:
    """Render a version; looking at a person's values is in the trail, as every reveal is."""
    values: dict[str, Any] = {}
    if contact is not None:
        classes = [DataClass(name) for name in version.data_classes]
        record = reveal.reveal([contact.id], classes, purpose="preview") if classes else {}
        values = values_for(record.get(contact.id, {}), version.fields_read)
        trail.record(
            "template.previewed",
            subject=f"contact:{contact.id}",
            detail={"version": version.number, "classes": list(version.data_classes)},
        )
    ours = sender.current()
    return versions.parts_of(version).render(
        values, organisation=ours.merged(), addresses=Addresses(f"{ours.origin}/m/u/preview")
    )


def why_not(refused: Exception) -> str:
    if isinstance(refused, NotRendered):
        return (
            "A field that it prints has no value here. Give the field a default, or choose a "
            "contact whose record has it."
        )
    return f"It cannot be shown: {refused}."
