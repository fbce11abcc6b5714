"""Settings refuse what would put patients at risk, in a sentence that names the variable."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from deploy.state import CHECKOUT

SOUND = {
    "ATTUNE_MODE": "production",
    "SECRET_KEY": "long-and-random",
    "ALLOWED_HOSTS": "mail.clinic.example",
    "ATTUNE_PUBLIC_ORIGIN": "https://mail.clinic.example",
    "ATTUNE_ROOT_KEY": "",
    "ATTUNE_ROOT_KEY_FILE": "/etc/attune/root.key",
    "DATABASE_URL": "postgresql://attune_app@db.clinic.example/attune?sslmode=verify-full",
    "DATABASE_OWNER_URL": "postgresql://attune@db.clinic.example/attune?sslmode=verify-full",
    "BROKER_URL": "rediss://broker.clinic.example",
}


class Machine:
    """Starts the settings as a machine with these variables would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.patch = monkeypatch

    def start(self, **changes: str) -> dict[str, Any]:
        for name, value in (SOUND | changes).items():
            self.patch.setenv(name, value)
        return runpy.run_path(str(CHECKOUT / "marketing" / "settings.py"))


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def test_production_starts_with_all_that_it_needs(machine: Machine) -> None:
    settings = machine.start()
    assert settings["PRODUCTION"]
    assert settings["SESSION_COOKIE_SECURE"]
    assert settings["SECURE_SSL_REDIRECT"]
    assert not settings["DEBUG"]


def test_an_unset_mode_means_production(machine: Machine) -> None:
    assert machine.start(ATTUNE_MODE="")["PRODUCTION"]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is not set"),
        ("ALLOWED_HOSTS", "", "ALLOWED_HOSTS is not set"),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS: name each host"),
        ("ATTUNE_ROOT_KEY_FILE", "", "ATTUNE_ROOT_KEY is not set"),
        ("ATTUNE_PUBLIC_ORIGIN", "http://clinic.example", "must begin with https://"),
        ("DATABASE_URL", "", "DATABASE_URL is not set"),
        ("DATABASE_URL", "postgresql://a@db.example/attune", "DATABASE_URL: add .*verify-full"),
        ("DATABASE_OWNER_URL", "postgresql://a@db.example/x", "DATABASE_OWNER_URL: add"),
        ("DATABASE_URL", "postgresql://a@db.example/x?sslmode=require", "DATABASE_URL: add"),
        ("DATABASE_URL", "postgresql://a@db.example/x?sslmode=verify-ca", "DATABASE_URL: add"),
        ("DATABASE_URL", "mysql://a@db.example/attune", "must begin with postgresql://"),
        ("BROKER_URL", "", "BROKER_URL is not set"),
        ("BROKER_URL", "redis://broker.example", "use rediss://"),
        ("ATTUNE_MODE", "demo", "must be one of production, sample, test"),
        ("SMTP_PORT", "smtp", "SMTP_PORT must be a whole number"),
    ],
)
def test_production_refuses(machine: Machine, name: str, value: str, sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=sentence):
        machine.start(**{name: value})


def test_a_secret_may_come_from_a_file(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    assert machine.start(SECRET_KEY_FILE=str(tmp_path / "secret"))["SECRET_KEY"] == "from the file"


def test_a_secret_s_missing_file_is_named(machine: Machine) -> None:
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FILE: cannot read /nowhere"):
        machine.start(SECRET_KEY_FILE="/nowhere")


def test_a_refusal_does_not_show_the_password(machine: Machine) -> None:
    address = "postgresql://attune_app:hunter2@db.example/attune"  # secrets: made for this test
    with pytest.raises(ImproperlyConfigured) as refusal:
        machine.start(DATABASE_URL=address)
    assert "hunter2" not in str(refusal.value)
