"""Every address there is, walked as a stranger and as each role (SR-01)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from accounts import guard, staff, tenancy
from accounts.guard import Access, Kind
from accounts.models import Organisation, User
from accounts.roles import MATRIX, Permission, Role
from contacts.models import Contact
from tests.conftest import NOON
from tests.contacts.segments import world

ROOT = Path(__file__).parents[2]
_SAMPLES = {"uuid": str(UUID(int=7)), "int": "7", "str": "x", "slug": "x", "path": "x"}


@dataclass(frozen=True)
class Address:
    path: str
    view: Callable[..., Any]

    @property
    def access(self) -> Access | None:
        return guard.declared(self.view)


def addresses(patterns: list[Any] | None = None, before: str = "/") -> Iterator[Address]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = before + _filled(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield Address(path, pattern.callback)


def _filled(route: str) -> str:
    route = re.sub(r"<(?:(\w+):)?\w+>", lambda found: _SAMPLES[found[1] or "str"], route)
    return route.lstrip("^").rstrip("$")


ALL = list(addresses())
STAFF = [one for one in ALL if one.access and one.access.kind in (Kind.STAFF, Kind.SIGNED_IN)]
MACHINES = [one for one in ALL if one.access and one.access.kind is Kind.MACHINE]


def each(found: list[Address]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("address", found, ids=lambda one: one.path)


@each(ALL)
def test_every_address_declares_its_door(address: Address) -> None:
    """SR-01: an undeclared route fails here, and is refused when it is asked for."""
    assert address.access is not None


@each(STAFF)
@pytest.mark.django_db
def test_a_stranger_gets_no_staff_page(client: Client, address: Address) -> None:
    answer = client.get(address.path)
    assert (answer.status_code, answer["Location"][:9]) == (302, "/sign-in/")


@each(MACHINES)
@pytest.mark.django_db
def test_a_machine_without_a_key_is_refused(client: Client, address: Address) -> None:
    assert client.post(address.path, {}, content_type="application/json").status_code == 401


@pytest.mark.parametrize("role", list(Role))
def test_each_role_opens_what_the_table_grants_it(
    harbor: Organisation, sign_in_as: Callable[[User], Client], role: Role
) -> None:
    """SR-01: reading and writing, every address."""
    with tenancy.acting_for(harbor.pk):
        user = staff.add(f"{role}@harbor.example", name="Someone", role=role, now=NOON)
    client = sign_in_as(user)
    expected, found = {}, {}
    for address in STAFF:
        access = address.access
        if access is None or address.path == "/sample/switch/":
            continue
        for method in ("GET", "POST"):
            if access.admits(role, method=method):
                continue
            answer = client.generic(method, address.path)
            found[method, address.path] = answer.status_code
            expected[method, address.path] = 403
    assert found == expected


@pytest.mark.parametrize("role", list(Role))
def test_each_role_sees_every_list_that_the_table_grants_it(
    harbor: Organisation, sign_in_as: Callable[[User], Client], role: Role
) -> None:
    with tenancy.acting_for(harbor.pk):
        user = staff.add(f"{role}@harbor.example", name="Someone", role=role, now=NOON)
    client = sign_in_as(user)
    refused = [
        address.path
        for address in STAFF
        if address.access
        and address.access.admits(role)
        and client.get(address.path).status_code == 403
    ]
    assert refused == []


def test_a_permission_that_nobody_and_nothing_has_is_no_permission() -> None:
    from accounts.roles import SCOPES

    granted = set().union(*MATRIX.values()) | set(SCOPES)
    assert granted == set(Permission)


def test_the_door_is_opened_by_its_listed_callers_alone() -> None:
    """Reading across organisations is for sign-in, founding, the loops and a command's choice."""
    callers = {
        str(path.relative_to(ROOT))
        for path in ROOT.glob("*/**/*.py")
        if path.parts[len(ROOT.parts)] not in ("tests", ".venv", "frontend", "benchmarks")
        and re.search(r"with.*\bdoor\(\)|import door\b", path.read_text())
    }
    assert callers == {
        "accounts/organisations.py",
        "accounts/staff.py",
        "accounts/tenancy.py",
        "consent/management/commands/consent_retention.py",
        "contacts/management/commands/segment.py",
        "workflows/management/commands/simulate.py",
    }


@pytest.mark.parametrize("role", list(Role))
def test_no_page_offers_a_door_that_the_role_does_not_open(
    harbor: Organisation, sign_in_as: Callable[[User], Client], role: Role
) -> None:
    """Every list and every page of one person: each link leads where this role may look."""
    with tenancy.acting_for(harbor.pk):
        user = staff.add(f"{role}@harbor.example", name="Someone", role=role, now=NOON)
        person = Contact.objects.get(pk=world.add([{"city": "Boston"}])[0]).public_id
    client = sign_in_as(user)
    barred = set()
    for address in STAFF:
        path = address.path.replace(_SAMPLES["uuid"], str(person))
        of_person = path.startswith(
            (f"/contacts/{person}/", f"/consent/{person}/", "/workflows/of")
        )
        if not address.access or not address.access.admits(role) or address.access.fresh:
            continue
        if (path != address.path and not of_person) or "/7/" in path or "/x/" in path:
            continue
        answer = client.get(path)
        if answer.status_code == 200 and "text/html" in answer["Content-Type"]:
            barred |= {(path, link) for link in _links(answer) if not _admitted(link, role)}
    assert barred == set()


def _links(answer: Any) -> set[str]:
    return set(re.findall(r'<a [^>]*href="(/[^"?#]*)', answer.content.decode()))


def _admitted(link: str, role: Role) -> bool:
    access = guard.declared(resolve(link).func)
    return access is None or access.kind is Kind.PUBLIC or access.admits(role)
