"""Read settings from the environment; a bad or missing one fails with a sentence that names it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TLS_MODES = frozenset({"verify-full"})
"""In which libpq checks certificate and host name; the others encrypt to whoever answers."""


def text(name: str, default: str = "") -> str:
    """Return the variable, else the default."""
    return os.environ.get(name, "").strip() or default


def secret(name: str) -> str:
    """Return NAME, or the content of the file that NAME_FILE points to; empty if neither is set."""
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return text(name)
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE: cannot read {path} ({error.strerror})") from None


def required(name: str, value: str, *, why: str) -> str:
    """Return the value; refuse to start without it."""
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {why}")
    return value


def number(name: str, default: int) -> int:
    """Return a whole number."""
    raw = text(name)
    if not raw:
        return default
    try:
        return int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number") from None


def words(name: str, default: str = "") -> list[str]:
    """Return a comma-separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def one_of(name: str, default: str, *, allowed: tuple[str, ...]) -> str:
    """Return one of a few words."""
    chosen = text(name, default)
    if chosen not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {chosen!r}")
    return chosen


def database(name: str, default: str, *, tls: bool) -> dict[str, Any]:
    """Return Django's settings for a `postgresql://` address; `tls` demands it off the machine."""
    parts = urlsplit(text(name, default))
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ImproperlyConfigured(f"{name} must begin with postgresql://")
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    if tls and not host.startswith("/") and options.get("sslmode") not in TLS_MODES:
        raise ImproperlyConfigured(
            f"{name}: add ?sslmode=verify-full; patient data crosses a network"
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


def broker(name: str, default: str, *, tls: bool) -> str:
    """Return the broker's address; `tls` demands it off the machine."""
    address = text(name, default)
    scheme = urlsplit(address).scheme
    if scheme not in {"redis", "rediss", "redis+socket"}:
        raise ImproperlyConfigured(f"{name} must begin with rediss://, redis:// or redis+socket://")
    if tls and scheme == "redis":
        raise ImproperlyConfigured(f"{name}: use rediss:// (TLS) or redis+socket://")
    return address
