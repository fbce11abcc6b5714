"""What surrounds every staff page: the navigation that the role may see, the bar, the words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from accounts import sample
from accounts.models import Session, User
from accounts.roles import Permission


@dataclass(frozen=True)
class Place:
    label: str
    route: str
    permission: Permission | None
    key: str = ""
    """The second key of `g …` that goes there."""
    sample_only: bool = False
    unless: Permission | None = None
    """Whoever has this finds it behind another place."""


GROUPS: tuple[tuple[str, tuple[Place, ...]], ...] = (
    ("", (Place("Home", "home", None, "h"),)),
    (
        "Reach",
        (
            Place("Campaigns", "campaigns", Permission.WORKFLOWS_VIEW, "p"),
            Place("Workflows", "workflows", Permission.WORKFLOWS_VIEW, "w"),
            Place("Messages", "messages", Permission.MESSAGES_VIEW, "m"),
            Place("Inbox", "inbox", Permission.ANSWERS_HANDLE, "x"),
            Place("Tasks", "tasks", Permission.TASKS_HANDLE, "a"),
            Place("Templates", "templates", Permission.TEMPLATES_VIEW, "e"),
            Place("Segments", "segments", Permission.SEGMENTS_VIEW, "s"),
        ),
    ),
    (
        "People",
        (
            Place("Contacts", "contacts", Permission.CONTACTS_VIEW, "c"),
            Place("Lists", "lists", Permission.CONTACTS_VIEW, "n"),
            Place("Review", "people-review", Permission.CONTACTS_MERGE, "r"),
            Place("Imports", "imports", Permission.IMPORTS_VIEW, "i"),
            Place("Forms", "forms", Permission.CONSENT_VIEW),
        ),
    ),
    (
        "Prove",
        (
            Place("Consent", "consent", Permission.CONSENT_VIEW, "o"),
            Place("Trail", "trail", Permission.TRAIL_VIEW, "t"),
            Place("Disclosures", "disclosures", Permission.TRAIL_VIEW, "d"),
            Place("Incidents", "incidents", Permission.TRAIL_VIEW),
        ),
    ),
    (
        "Run",
        (
            Place("Delivery", "delivery", Permission.DELIVERY_VIEW, "l"),
            Place(
                "Not delivered",
                "undelivered",
                Permission.MESSAGES_VIEW,
                "l",
                unless=Permission.DELIVERY_VIEW,
            ),
            Place("Mailbox", "mailbox", None, "b", sample_only=True),
            Place("Phones", "phones", None, sample_only=True),
            Place("Integrations", "api-keys", Permission.KEYS_MANAGE, "k"),
            Place("Events", "events", Permission.DELIVERY_VIEW, "v"),
            Place("Staff", "staff", Permission.STAFF_MANAGE, "f"),
            Place("Settings", "settings", Permission.FIELDS_VIEW),
        ),
    ),
)


@dataclass(frozen=True)
class Link:
    label: str
    address: str
    key: str
    here: bool


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of every template: empty of staff things where nobody is signed in."""
    session: Session | None = getattr(request, "staff_session", None)
    common = {"sample": settings.SAMPLE, "polling_header": "Attune-Polling"}
    if session is None or not session.is_complete:
        return common
    return common | {
        "staff": session.user,
        "organisation": session.organisation,
        "navigation": navigation(session.user, request.path),
        "search_address": _address("contact-search") or _address("contacts"),
        "may_search": session.user.may(Permission.CONTACTS_SEARCH),
        "colleagues": _colleagues(session),
    }


def _colleagues(session: Session) -> Iterable[User]:
    """Return whom a newcomer to the sample may turn into, from the menu."""
    if not settings.SAMPLE or session.method != Session.Method.SAMPLE:
        return ()
    people = sample.colleagues(session.organisation_id)
    return [person for person in people if person.pk != session.user.pk]


def navigation(user: User, path: str) -> list[tuple[str, list[Link]]]:
    """Return the groups with the places that exist and that the role may see."""
    addresses = {place.route: _address(place.route) for _, places in GROUPS for place in places}
    groups, here = [], _nearest(path, addresses.values())
    for name, places in GROUPS:
        links = [
            link for place in places if (link := _link(place, user, addresses[place.route], here))
        ]
        if links:
            groups.append((name, links))
    return groups


def _link(place: Place, user: User, address: str | None, here: str | None) -> Link | None:
    if address is None or (place.permission and not user.may(place.permission)):
        return None
    if place.unless and user.may(place.unless):
        return None
    if place.sample_only and not settings.SAMPLE:
        return None
    return Link(place.label, address, place.key, address == here)


def _nearest(path: str, addresses: Iterable[str | None]) -> str | None:
    """Return the address of the place that the path lies in: the deepest, where two hold it."""
    nearest = max((one for one in addresses if one and path.startswith(one)), key=len, default=None)
    return nearest if nearest != "/" or path == "/" else None


def _address(route: str) -> str | None:
    try:
        return reverse(route)
    except NoReverseMatch:
        return None
