"""The sending domain as receivers see it, asked of a DNS server on this machine."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import tenancy
from accounts.models import Organisation, User
from deploy.mailbox import Mailbox
from messaging import sender
from messaging.models import DomainCheck
from messaging.preflight import dmarc, keeping, looking, spf
from messaging.preflight.dns import Unanswered
from messaging.preflight.looking import Sending
from tests.conftest import NOON
from tests.messaging.nameserver import NameServer, Zone, serving

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = KEY.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)
P = base64.b64encode(PUBLIC).decode()
SENDING = Sending("h.example", ["192.0.2.7"], "h.example", "attune", PUBLIC)


def whole() -> Zone:
    """Everything in order."""
    return {
        ("h.example", "TXT"): ['"v=spf1 ip4:192.0.2.0/28 -all"'],
        ("h.example", "MX"): ["10 mx.h.example."],
        ("attune._domainkey.h.example", "TXT"): [f'"v=DKIM1; k=rsa; p={P[:200]}" "{P[200:]}"'],
        ("_dmarc.h.example", "TXT"): ['"v=DMARC1; p=reject; rua=mailto:d@h.example"'],
        ("7.2.0.192.in-addr.arpa", "PTR"): ["relay.h.example."],
        ("relay.h.example", "A"): ["192.0.2.7"],
    }


@pytest.fixture
def dns() -> Iterator[NameServer]:
    with serving(whole()) as server:
        yield server


def look(server: NameServer, sending: Sending = SENDING, *, tls: str = "") -> dict[str, str]:
    found = looking.look(sending, names=server.resolver, tls=lambda: tls)
    return {one.what: one.state for one in found}


def test_a_domain_in_order_is_fit(dns: NameServer) -> None:
    """EM-14"""
    assert set(look(dns).values()) == {"ok"}


@pytest.mark.parametrize(
    ("spoilt", "what"),
    [
        ({("h.example", "TXT"): []}, "SPF"),
        ({("h.example", "TXT"): ['"v=spf1 -all"']}, "SPF"),
        ({("h.example", "TXT"): ['"v=spf1 ~all"', '"v=spf1 +all"']}, "SPF"),
        ({("attune._domainkey.h.example", "TXT"): []}, "DKIM"),
        ({("attune._domainkey.h.example", "TXT"): ['"v=DKIM1; p=MIIB"']}, "DKIM"),
        ({("_dmarc.h.example", "TXT"): []}, "DMARC"),
        ({("7.2.0.192.in-addr.arpa", "PTR"): []}, "Names of the addresses"),
        ({("relay.h.example", "A"): ["192.0.2.9"]}, "Names of the addresses"),
        ({("h.example", "MX"): []}, "Mail to this domain"),
        ({("h.example", "TXT"): ["SERVFAIL"]}, "SPF"),
    ],
)
def test_what_is_missing_is_found_with_advice(dns: NameServer, spoilt: Zone, what: str) -> None:
    """EM-14"""
    dns.zone |= spoilt
    found = looking.look(SENDING, names=dns.resolver, tls=lambda: "")
    bad = [one for one in found if one.state == "bad"]
    assert [one.what for one in bad] == [what]
    assert bad[0].advice
    assert not looking.passes(found)


def test_a_line_that_is_not_safe_is_bad(dns: NameServer) -> None:
    assert look(dns, tls="tls_unverified")["Line to the relay"] == "bad"


def test_the_relays_certificate_is_tried_in_earnest(
    at_harbor: Organisation, mailbox: Mailbox, settings: LazySettings
) -> None:
    settings.SMTP_PORT, settings.SMTP_CA_FILE = mailbox.port, str(mailbox.ca_file)
    assert sender.probe() == ""
    settings.SMTP_CA_FILE = ""
    assert sender.probe() == "tls_unverified"


def test_a_signature_of_another_organisation_does_not_align(dns: NameServer) -> None:
    """EM-14"""
    elsewhere = Sending("h.example", ["192.0.2.7"], "elsewhere.example", "attune", PUBLIC)
    dns.zone["attune._domainkey.elsewhere.example", "TXT"] = dns.zone[
        "attune._domainkey.h.example", "TXT"
    ]
    assert look(dns, elsewhere)["DMARC"] == "bad"


# DMARC by RFC 9989


def test_the_organisational_domain_is_found_by_walking_up(dns: NameServer) -> None:
    """EM-15"""
    found = dmarc.find("news.mail.h.example", dns.resolver)
    assert found.organisational == "h.example"
    assert found.record is not None and found.record.domain == "h.example"


def test_a_walk_asks_at_most_eight_times_whatever_the_depth(dns: NameServer) -> None:
    """EM-15"""
    deep = ".".join(["a"] * 20 + ["h", "example"])
    assert dmarc.find(deep, dns.resolver).organisational == "h.example"
    asked = [one for one in dns.asked if one.endswith("TXT")]
    assert len(asked) == dmarc.MOST_QUERIES
    assert asked[1] == "_dmarc.a.a.a.a.a.h.example TXT"


@pytest.mark.parametrize(
    ("record", "policy"),
    [
        ("v=DMARC1; p=reject; pct=0", "reject"),  # pct is no more
        ("v=DMARC1; p=reject; tomorrow=yes; x", "reject"),
        ("v=DMARC1; p=reject; t=y", "quarantine"),
        ("v=DMARC1; p=nonsense; rua=mailto:a@b.example", "none"),
    ],
)
def test_unknown_tags_and_pct_are_ignored_and_a_test_is_taken_one_step_back(
    record: str, policy: str
) -> None:
    """EM-15"""
    read = dmarc.parse("h.example", record)
    assert read is not None
    assert read.demands("h.example") == policy


@pytest.mark.parametrize("text", ["v=DMARC2; p=none", "p=none", "v=DMARC1", "v=DMARC1; p=nonsense"])
def test_what_is_no_record_is_none(text: str) -> None:
    """EM-15"""
    assert dmarc.parse("h.example", text) is None


def test_two_records_at_one_name_are_none(dns: NameServer) -> None:
    """EM-15"""
    dns.zone["_dmarc.h.example", "TXT"] *= 2
    dns.zone["_dmarc.h.example", "TXT"][1] = '"v=DMARC1; p=none"'
    assert dmarc.find("h.example", dns.resolver).record is None


def test_below_a_public_suffix_the_domain_beneath_it_is_the_organisation(dns: NameServer) -> None:
    """EM-15"""
    dns.zone["_dmarc.example", "TXT"] = ['"v=DMARC1; p=reject; psd=y"']
    assert dmarc.find("news.other.example", dns.resolver).organisational == "other.example"


def test_a_domain_that_says_it_is_one_ends_the_walk(dns: NameServer) -> None:
    """EM-15"""
    dns.zone["_dmarc.mail.h.example", "TXT"] = ['"v=DMARC1; p=none; psd=n"']
    found = dmarc.find("news.mail.h.example", dns.resolver)
    assert found.organisational == "mail.h.example"


def test_subdomains_have_the_policy_that_is_theirs(dns: NameServer) -> None:
    """EM-15"""
    dns.zone["_dmarc.h.example", "TXT"] = ['"v=DMARC1; p=reject; sp=none"']
    record = dmarc.find("news.h.example", dns.resolver).record
    assert record is not None
    assert (record.demands("news.h.example"), record.demands("h.example")) == ("none", "reject")


# SPF


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 a -all", "fail"),
        ("v=spf1 a:relay.h.example -all", "pass"),
        ("v=spf1 a:relay.h.example/28 ?all", "pass"),
        ("v=spf1 mx ~all", "softfail"),
        ("v=spf1 include:_spf.h.example -all", "pass"),
        ("v=spf1 redirect=_spf.h.example", "pass"),
        ("v=spf1 ip6:2001:db8::/32 ?all", "neutral"),
        ("v=spf1 exists:%{i}.h.example -all", "fail"),
    ],
)
def test_mechanisms(dns: NameServer, record: str, result: str) -> None:
    dns.zone["h.example", "TXT"] = [f'"{record}"']
    dns.zone["_spf.h.example", "TXT"] = ['"v=spf1 ip4:192.0.2.7 -all"']
    assert spf.Check("192.0.2.7", dns.resolver).result("h.example") == result


def test_more_than_ten_look_ups_are_broken(dns: NameServer) -> None:
    dns.zone["h.example", "TXT"] = ['"v=spf1 include:h.example -all"']
    with pytest.raises(spf.Broken, match="more than 10"):
        spf.Check("192.0.2.7", dns.resolver).result("h.example")


def test_no_answer_is_not_an_answer_of_nothing(dns: NameServer) -> None:
    dns.zone["h.example", "TXT"] = ["SERVFAIL"]
    with pytest.raises(Unanswered):
        dns.resolver.txt("h.example")


# Kept, by command, and asked before large sends


@pytest.fixture
def signing(settings: LazySettings, tmp_path: Path, at_harbor: Organisation) -> None:
    path = tmp_path / "dkim.pem"
    path.write_bytes(
        KEY.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    settings.DKIM_DOMAIN, settings.DKIM_SELECTOR = "h.example", "attune"
    settings.DKIM_KEY_FILE, settings.SENDING_ADDRESSES = str(path), "192.0.2.7"


def test_large_sends_wait_for_a_fit_domain(dns: NameServer, signing: None) -> None:
    """EM-14"""
    assert keeping.forbids(5_000, pool="marketing", now=NOON) == ""
    assert "Nobody looked" in keeping.forbids(5_001, pool="marketing", now=NOON)
    keeping.check("h.example", names=dns.resolver, tls=lambda: "", now=NOON)
    assert keeping.forbids(5_001, pool="marketing", now=NOON) == ""
    assert keeping.forbids(5_001, pool="marketing", now=NOON + timedelta(days=3))
    dns.zone["_dmarc.h.example", "TXT"] = []
    keeping.check("h.example", names=dns.resolver, tls=lambda: "", now=NOON + timedelta(hours=1))
    assert "not fit" in keeping.forbids(5_001, pool="marketing", now=NOON + timedelta(hours=2))


def test_the_command_says_what_to_mend(
    dns: NameServer, signing: None, mailbox: Mailbox, settings: LazySettings
) -> None:
    """EM-14"""
    settings.SMTP_PORT, settings.SMTP_CA_FILE = mailbox.port, str(mailbox.ca_file)
    said = StringIO()
    asked: dict[str, Any] = {"dns": f"127.0.0.1:{dns.port}", "stdout": said}
    call_command("check_sending", "harbor", **asked)
    assert "The key at attune._domainkey.h.example is ours, RSA 2048." in said.getvalue()
    dns.zone["h.example", "TXT"] = []
    with pytest.raises(CommandError, match="mend what is marked bad"):
        call_command("check_sending", "harbor", **asked)
    assert 'TXT at h.example: "v=spf1 ip4:192.0.2.7 -all"' in said.getvalue()


def test_the_page_shows_what_was_found(
    dns: NameServer,
    signing: None,
    at_harbor: Organisation,
    omar: User,
    sign_in_as: Callable[[User], Client],
) -> None:
    dns.zone["_dmarc.h.example", "TXT"] = []
    keeping.check("h.example", names=dns.resolver, tls=lambda: "", now=NOON)
    page = sign_in_as(omar).get("/delivery/domain/").content.decode()
    assert "not fit for bulk" in page
    assert "v=DMARC1; p=none" in page


def test_another_organisations_checks_are_not_ours(
    dns: NameServer, signing: None, hill: Organisation
) -> None:
    keeping.check("h.example", names=dns.resolver, tls=lambda: "", now=NOON)
    with tenancy.acting_for(hill.pk):
        assert not DomainCheck.objects.exists()
