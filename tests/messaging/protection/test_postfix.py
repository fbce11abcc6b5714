"""The relay's table and recipe, read by Debian's own Postfix."""

from __future__ import annotations

import shutil
import subprocess
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.models import Organisation
from messaging.models import Receiver
from messaging.protection import receivers, writing
from messaging.protection.facts import Found, Server, Sts, Tlsa
from messaging.protection.judging import Judgement, Standing, judge
from tests.conftest import NOON
from tests.messaging.protection.conftest import SIX, Country

RECIPE = Path(__file__).parents[3] / "deploy" / "postfix" / "main.cf"
needs_postfix = pytest.mark.skipif(
    shutil.which("postmap") is None and not Path("/usr/sbin/postmap").exists(),
    reason="no Postfix here: apt install postfix",
)
GOOD = Server("mx1.a.example", reached=True, starttls=True, tls="TLSv1.3")


def line(**facts: object) -> str | None:
    found = Found("a.example", servers=(GOOD,), **facts)  # type: ignore[arg-type]
    return writing.line(found, judge(found, now=NOON))


def test_a_valid_certificate_pins_the_names_that_were_seen() -> None:
    said = "a.example secure match=mx1.a.example protocols=>=TLSv1.2 ciphers=high"
    assert line() == said


def test_mta_sts_gives_its_own_patterns() -> None:
    """EM-17"""
    policy = Sts("1", "enforce", ("*.a.example",), 86400, NOON.isoformat())
    assert "match=.a.example " in str(line(sts=policy))


def test_dane_is_left_to_the_relay() -> None:
    """EM-18"""
    server = Server(
        "mx1.a.example", reached=True, starttls=True, tlsa=(Tlsa(3, 1, 1, "00"),), dane=True
    )
    found = Found("a.example", mx_secure=True, servers=(server,))
    assert writing.line(found, judge(found, now=NOON)) == "a.example dane-only"


@pytest.mark.parametrize("name", ["a b.example", "a.example\n*", "-a.example", "example"])
def test_a_name_that_is_none_writes_no_line(name: str) -> None:
    verified = Judgement(Standing.VERIFIED, "certificate", ("mx.a.example",))
    assert writing.line(Found(name), verified) is None


@needs_postfix
def test_postmap_reads_the_table_and_only_the_first_of_six_is_in_it(
    country: Country, at_harbor: Organisation, tmp_path: Path
) -> None:
    """EM-01"""
    receivers.known({f"{one}.example" for one in SIX}, now=NOON)
    receivers.run_once(world=country.world, now=NOON)
    table = tmp_path / "tls_policy"
    table.write_text("\n".join(writing.lines(Receiver.objects.all(), now=NOON)) + "\n")
    (tmp_path / "main.cf").write_text(filled(table))
    postmap("-c", str(tmp_path), f"hash:{table}")
    found = {
        one: postmap("-c", str(tmp_path), "-q", f"{one}.example", f"hash:{table}") for one in SIX
    }
    assert found.pop("valid").startswith("secure match=mx.valid.example")
    assert set(found.values()) == {""}


@needs_postfix
def test_postfix_finds_nothing_wrong_with_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text(filled(tmp_path / "tls_policy"))
    (tmp_path / "master.cf").touch()
    done = subprocess.run(
        ["/usr/sbin/postconf", "-c", str(tmp_path), "-n"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "warning" not in done.stderr
    assert "smtp_dns_support_level = dnssec" in done.stdout
    assert "smtpd_tls_security_level = encrypt" in done.stdout


def test_the_command_prints_what_stands(at_harbor: Organisation) -> None:
    out = StringIO()
    call_command("tls_policy", stdout=out)
    assert out.getvalue() == ""


def filled(table: Path) -> str:
    words = {
        "RELAY_NAME": "relay.h.example",
        "CERTIFICATE_FILE": "/etc/ssl/certs/relay.pem",
        "KEY_FILE": "/etc/ssl/private/relay.key",
        "TABLE_TYPE": "hash",
        "TABLE_FILE": str(table),
    }
    text = RECIPE.read_text()
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def postmap(*words: str) -> str:
    done = subprocess.run(
        ["/usr/sbin/postmap", *words], capture_output=True, text=True, check=False
    )
    assert "fatal" not in done.stderr
    return done.stdout.strip()
