"""Settings: which subjects there are, each on a page of its own."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from marketing.web.addresses import address


@dataclass(frozen=True)
class Subject:
    """A page of settings; one that this installation does not have is left out."""

    title: str
    says: str
    route: str
    permission: Permission


SUBJECTS = (
    Subject(
        "Organisation",
        "What patients know you by: name, postal address, sender address, and your time zone.",
        "organisation",
        Permission.FIELDS_VIEW,
    ),
    Subject(
        "Fields",
        "What is kept of a person: the standard catalogue, and fields of your own.",
        "fields",
        Permission.FIELDS_VIEW,
    ),
    Subject(
        "Code groups",
        "What “diabetes” means here: named lists of diagnosis and other codes, with versions.",
        "code-groups",
        Permission.FIELDS_VIEW,
    ),
    Subject(
        "Sending",
        "Quiet hours, frequency caps, how far STOP reaches, and who carries messages.",
        "sending",
        Permission.DELIVERY_VIEW,
    ),
    Subject(
        "Reviews",
        "Who looks at a message before it may go: medical, compliance, technical.",
        "review-rules",
        Permission.TEMPLATES_VIEW,
    ),
    Subject(
        "Pools",
        "Relay, address, limits and hours of marketing, care and transactional mail, apart.",
        "pools",
        Permission.DELIVERY_VIEW,
    ),
    Subject(
        "Protection",
        "By which ways messages may go: S/MIME, OpenPGP, verified TLS, the portal.",
        "protection",
        Permission.DELIVERY_VIEW,
    ),
    Subject(
        "Endpoints",
        "Which other systems workflows may call, and what those may be told.",
        "endpoints",
        Permission.DELIVERY_VIEW,
    ),
    Subject(
        "Write-backs",
        "Which systems are told what workflows write back to the record of care.",
        "write-backs",
        Permission.DELIVERY_VIEW,
    ),
    Subject(
        "Signing",
        "The certificate and the key that encrypted mail is signed with, and when they end.",
        "signing",
        Permission.DELIVERY_VIEW,
    ),
    Subject(
        "Topics",
        "What people can say no to by itself on the preference page behind every mail.",
        "topics",
        Permission.DELIVERY_VIEW,
    ),
    Subject(
        "Staff and roles",
        "Who has access, and what each role may do.",
        "staff",
        Permission.STAFF_MANAGE,
    ),
    Subject(
        "API keys",
        "Which machines may do what here, until when.",
        "api-keys",
        Permission.KEYS_MANAGE,
    ),
)


@require_safe
@requires(Permission.FIELDS_VIEW)
def settings(request: HttpRequest) -> HttpResponse:
    """List the subjects that the role may see."""
    user = staff_of(request)
    rows = [
        {"subject": subject, "address": found}
        for subject in SUBJECTS
        if user.may(subject.permission) and (found := address(subject.route))
    ]
    return render(request, "settings/settings.html", {"rows": rows})
