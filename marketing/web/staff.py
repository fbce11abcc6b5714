"""Staff and their roles: invite, change, disable; and the role table on one screen."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import Exists, Max, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import guard, roles
from accounts import staff as team
from accounts.models import Authenticator, User
from accounts.roles import Permission, Role

get_and_post = require_http_methods(["GET", "HEAD", "POST"])
ROLE_CHOICES = [(role.value, role.label) for role in Role]


class Invitation(forms.Form):
    name = forms.CharField(max_length=120, label="Name")
    email = forms.EmailField(max_length=254, label="E-mail address")
    role = forms.ChoiceField(choices=ROLE_CHOICES, label="Role")


class NewRole(forms.Form):
    role = forms.ChoiceField(choices=ROLE_CHOICES, label="Role")


@guard.requires(Permission.STAFF_MANAGE)
@require_safe
def staff(request: HttpRequest) -> HttpResponse:
    """Who has access, with what; those who left stay on the list."""
    enrolled = Authenticator.objects.filter(user=OuterRef("pk"), confirmed_at__isnull=False)
    people = User.objects.annotate(
        enrolled=Exists(enrolled), last_seen=Max("sessions__seen_at")
    ).order_by("-is_active", "name")
    return render(request, "staff/list.html", {"people": people, "matrix": _matrix()})


@guard.requires(Permission.STAFF_MANAGE, fresh=True)
@get_and_post
def invite(request: HttpRequest) -> HttpResponse:
    form = Invitation(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data, now = form.cleaned_data, timezone.now()
        try:
            with transaction.atomic():
                user, token = team.invite(
                    data["email"], name=data["name"], role=Role(data["role"]), now=now
                )
        except IntegrityError:
            form.add_error("email", "Someone already signs in with this address.")
        else:
            return _show_link(request, user, token)
    return render(request, "staff/invite.html", {"form": form})


@guard.requires(Permission.STAFF_MANAGE)
@require_safe
def person(request: HttpRequest, user_id: UUID) -> HttpResponse:
    someone = get_object_or_404(User, pk=user_id)
    context = {
        "person": someone,
        "form": NewRole(initial={"role": someone.role}),
        "sessions": someone.sessions.order_by("-seen_at"),
        "enrolled": someone.authenticators.filter(confirmed_at__isnull=False).exists(),
        "permissions": sorted(roles.MATRIX[Role(someone.role)]),
        "classes": sorted(someone.data_classes),
    }
    return render(request, "staff/person.html", context)


@guard.requires(Permission.STAFF_MANAGE, fresh=True)
@require_POST
def change_role(request: HttpRequest, user_id: UUID) -> HttpResponse:
    someone = get_object_or_404(User, pk=user_id, is_active=True)
    form = NewRole(request.POST)
    if form.is_valid():
        try:
            team.change_role(someone, Role(form.cleaned_data["role"]), now=timezone.now())
        except team.LastAdministrator as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "The role is changed; old sessions are ended.")
    return redirect("staff-person", someone.pk)


@guard.requires(Permission.STAFF_MANAGE, fresh=True)
@require_POST
def disable(request: HttpRequest, user_id: UUID) -> HttpResponse:
    someone = get_object_or_404(User, pk=user_id, is_active=True)
    try:
        team.disable(someone, now=timezone.now())
    except team.LastAdministrator as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Access has ended, and every session with it.")
    return redirect("staff-person", someone.pk)


@guard.requires(Permission.STAFF_MANAGE, fresh=True)
@require_POST
def invite_again(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Give a new link: for who lost the first one, the password or the authenticator."""
    someone = get_object_or_404(User, pk=user_id, is_active=True)
    return _show_link(request, someone, team.invite_again(someone, now=timezone.now()))


def _show_link(request: HttpRequest, user: User, token: str) -> HttpResponse:
    link = request.build_absolute_uri(reverse("invitation", args=[token]))
    days = team.INVITATION_LASTS.days
    return render(request, "staff/invited.html", {"person": user, "link": link, "days": days})


def _matrix() -> dict[str, Any]:
    classes = sorted(set().union(*(roles.data_classes(role) for role in Role)))
    return {
        "roles": list(Role),
        "permissions": [
            (permission, [roles.allows(role, permission) for role in Role])
            for permission in Permission
        ],
        "classes": [
            (name.replace("_", " "), [name in roles.data_classes(role) for role in Role])
            for name in classes
        ],
    }
