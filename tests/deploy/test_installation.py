"""What is generated for the sample is private and kept."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from deploy.installation import Installation


@pytest.fixture
def installation(open_folder: Path) -> Installation:
    return Installation(open_folder)


def test_generated_secrets_are_for_the_owner_alone(installation: Installation) -> None:
    installation.environment()
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in installation.keys.iterdir()}
    assert set(modes.values()) == {0o600}
    assert modes.keys() == {"root.key", "secret.key", "dkim.pem", "texts.secret"}


def test_a_second_run_has_the_first_one_s_settings(
    installation: Installation, open_folder: Path
) -> None:
    first = installation.environment()
    secret = (installation.keys / "secret.key").read_text()
    assert Installation(open_folder).environment() == first
    assert (installation.keys / "secret.key").read_text() == secret


def test_a_port_that_somebody_else_has_is_not_taken(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        monkeypatch.setenv("ATTUNE_PORT", str(taken))
        assert installation.web_port != taken


def test_no_secret_stands_in_the_environment_itself(installation: Installation) -> None:
    environment = installation.environment()
    for path in installation.keys.iterdir():
        assert path.read_text().strip() not in "\n".join(environment.values())
