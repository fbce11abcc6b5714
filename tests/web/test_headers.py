"""What a browser is told about every page (SE-24)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", ["/", "/account/", "/sign-in/", "/no/such/page/"])
def test_a_page_may_load_nothing_from_elsewhere_and_is_not_kept(
    sign_in_as: Callable[[User], Client], mara: User, path: str
) -> None:
    headers = sign_in_as(mara).get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/account/", "/staff/", "/no/such/page/"])
def test_no_page_carries_what_the_policy_would_refuse(
    sign_in_as: Callable[[User], Client], mara: User, path: str
) -> None:
    page = sign_in_as(mara).get(path).content.decode()
    assert "style=" not in page
    assert "onclick=" not in page
    assert "<script>" not in page


def test_production_ties_cookies_to_its_host_and_demands_https() -> None:
    environment = {
        "ATTUNE_MODE": "production",
        "DJANGO_SETTINGS_MODULE": "marketing.settings",
        "SECRET_KEY": "s" * 50,
        "ALLOWED_HOSTS": "attune.example",
        "DATABASE_URL": "postgresql://a@db/attune?sslmode=verify-full",
        "BROKER_URL": "rediss://broker/0",
        "ATTUNE_ROOT_KEY": "a" * 43 + "=",
        "ATTUNE_PUBLIC_ORIGIN": "https://attune.example",
    }
    program = (
        "from django.conf import settings as s; from accounts.middleware import cookie_name;"
        "print(cookie_name(), s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE,"
        " s.SECURE_HSTS_SECONDS >= 31_536_000, s.SECURE_SSL_REDIRECT, s.SAMPLE)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {program}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.stdout.split() == [
        "__Host-staff", "__Host-csrf", "True", "True", "True", "True", "False",
    ], answer.stderr  # fmt: skip
