from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from accounts import staff
from accounts.models import Organisation, User
from accounts.roles import Role
from deploy.certificates import identity
from messaging.protection.looking import Dns, World
from tests.conftest import NOON
from tests.messaging.protection.servers import Receiver, Zone, context, dns_server

SIX = ("valid", "selfsigned", "wrongname", "stripped", "old", "none")


@dataclass
class Country:
    """Six domains, one a kind of mail server, and a DNS server that knows them."""

    world: World
    zone: Zone
    receivers: dict[str, Receiver] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)
    certificates: dict[str, Path] = field(default_factory=dict)


@pytest.fixture
def country(tmp_path: Path) -> Iterator[Country]:
    real = datetime.now(UTC)
    zone = Zone()
    policies: dict[str, str] = {}
    made = {
        one: identity(tmp_path / one, now=real, names=(f"mx.{name}.example",))
        for one, name in [
            ("valid", "valid"),
            ("selfsigned", "selfsigned"),
            ("wrongname", "elsewhere"),
            ("old", "old"),
        ]
    }
    known = tmp_path / "authorities.pem"
    known.write_bytes(b"".join(made[o].ca.read_bytes() for o in ("valid", "wrongname", "old")))
    with ExitStack() as stack:
        receivers = {
            one: stack.enter_context(
                Receiver(
                    context(made[one].certificate, made[one].key, old=one == "old")
                    if one in made
                    else None
                ).running()
            )
            for one in SIX
            if one != "none"
        }
        for one in SIX:
            zone.records[f"{one}.example", "MX"] = [f"10 mx.{one}.example."]
        port = stack.enter_context(dns_server(zone))

        def reach(host: str) -> tuple[str, int]:
            found = receivers.get(host.split(".")[1])
            return "127.0.0.1", found.port if found else 1

        world = World(Dns("127.0.0.1", port), policies.get, reach, str(known), "h.example")
        paths = {one: found.certificate for one, found in made.items()}
        yield Country(world, zone, receivers, policies, paths)


@pytest.fixture
def admin(at_harbor: Organisation) -> User:
    return staff.add("ines@harbor.example", name="Ines Roy", role=Role.ADMINISTRATOR, now=NOON)
