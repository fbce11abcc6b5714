"""The sample installation on this machine: its folder, secrets, ports and services."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from crypto import root
from deploy import databases
from deploy.broker import EmbeddedBroker
from deploy.kept_ports import KeptPort, kept_port
from deploy.mailbox import Mailbox
from deploy.phone import Phone
from deploy.postgres import EmbeddedPostgres

DATABASE = "attune"
FIRST_PORT = 8000
DKIM_DOMAIN = "harborview.example"
TEXTS_NUMBER = "+16175550100"
"""Nobody's: 555-0100 to 555-0199 are kept for stories."""


@dataclass(frozen=True)
class Installation:
    """Everything below `home`. What is generated is generated once and kept."""

    home: Path

    @cached_property
    def postgres(self) -> EmbeddedPostgres:
        # The server's own log would quote the values of a statement that failed.
        return EmbeddedPostgres(self.home / "postgres", settings={"log_min_messages": "fatal"})

    @cached_property
    def broker(self) -> EmbeddedBroker:
        return EmbeddedBroker(self.home / "broker")

    @cached_property
    def mailbox(self) -> Mailbox:
        return Mailbox(self.home / "mailbox", port=self.ports["mailbox"].number)

    @cached_property
    def phone(self) -> Phone:
        secret = self.texts_secret.read_text()
        return Phone(self.home / "phones", secret, port=self.ports["phones"].number)

    @property
    def texts_secret(self) -> Path:
        return _kept(self.keys / "texts.secret", make=_gateway_secret)

    @property
    def keys(self) -> Path:
        folder = self.home / "keys"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    @cached_property
    def web_port(self) -> int:
        return self.ports["web"].number

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.web_port}"

    def start_database(self) -> None:
        """Start the server and see to its roles and its database."""
        self.postgres.start()
        databases.prepare_roles(self.postgres.url("postgres"))
        databases.create(self.postgres.url("postgres"), name=DATABASE)
        databases.close_to_public(self.postgres.url(DATABASE))

    def environment(self) -> dict[str, str]:
        """Return the settings that every process of the sample is started with."""
        root.generate(self.keys / "root.key")
        return {
            "ATTUNE_MODE": "sample",
            "ATTUNE_HOME": str(self.home),
            "ATTUNE_ROOT_KEY_FILE": str(self.keys / "root.key"),
            "ATTUNE_PUBLIC_ORIGIN": self.origin,
            "DJANGO_SETTINGS_MODULE": "marketing.settings",
            "SECRET_KEY_FILE": str(_kept_secret(self.keys / "secret.key")),
            "DATABASE_URL": self.postgres.url(DATABASE, role=databases.APPLICATION),
            "DATABASE_OWNER_URL": self.postgres.url(DATABASE),
            "BROKER_URL": self.broker.url,
            "SMTP_HOST": "localhost",
            "SMTP_PORT": str(self.mailbox.port),
            "SMTP_CA_FILE": str(self.mailbox.ca_file),
            "SMTP_ONWARD_TLS": "enforced",  # the mailbox is the last stop, and demands TLS
            "TEXTS_URL": self.phone.url,
            "TEXTS_SECRET_FILE": str(self.texts_secret),
            "TEXTS_NUMBER": TEXTS_NUMBER,
            "DKIM_DOMAIN": DKIM_DOMAIN,
            "DKIM_KEY_FILE": str(_kept_rsa_key(self.keys / "dkim.pem")),
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
        }

    def write_environment(self) -> Path:
        """Leave the settings where one who runs manage.py by hand can load them."""
        path = self.home / "environment"
        path.write_text("".join(f"{k}={v}\n" for k, v in self.environment().items()))
        return path

    @cached_property
    def ports(self) -> dict[str, KeptPort]:
        """Return the port that each was given first: links in sent mails bear the web's."""
        first = {
            "web": int(os.environ.get("ATTUNE_PORT", FIRST_PORT)),
            "mailbox": 8025,
            "phones": 8325,
        }
        return {
            name: kept_port(self.home / f"{name}.port", first=wished)
            for name, wished in first.items()
        }


def _kept_secret(path: Path) -> Path:
    return _kept(path, make=lambda: secrets.token_urlsafe(50))


def _kept(path: Path, *, make: Callable[[], str]) -> Path:
    if not path.exists():
        _write_private(path, make().encode())
    return path


def _gateway_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _kept_rsa_key(path: Path) -> Path:
    if not path.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        encoding, layout = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        _write_private(path, key.private_bytes(encoding, layout, serialization.NoEncryption()))
    return path


def _write_private(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
