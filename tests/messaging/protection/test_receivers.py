"""What is seen of mail servers, what is believed of them, and which way a mail goes for it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from accounts import tenancy
from accounts.models import Organisation
from messaging import dispatch
from messaging.models import Message, Receiver
from messaging.protect import Hold, Onward
from messaging.protection import judging, looking, receivers
from messaging.protection.judging import Standing
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue, person, sign
from tests.messaging.protection.conftest import SIX, Country
from tests.messaging.test_dispatch import parsed

REAL = datetime.now(UTC)
STS = "version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 86400\n"


def judged(country: Country, domain: str, *, now: datetime = REAL) -> tuple[str, str]:
    found = looking.look(domain, None, country.world, now=now)
    said = judging.judge(found, now=now)
    return said.standing.value, said.because


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("valid", ("verified", "certificate")),
        ("selfsigned", ("unverified", "unknown_authority")),
        ("wrongname", ("unverified", "wrong_name")),
        ("stripped", ("unverified", "no_starttls")),
        ("old", ("unverified", "tls_too_old")),
        ("none", ("unverified", "unreachable")),
    ],
)
def test_of_six_receivers_one_is_believed(
    country: Country, kind: str, says: tuple[str, str]
) -> None:
    """EM-01"""
    assert judged(country, f"{kind}.example") == says


def test_only_the_first_of_six_gets_the_body(
    country: Country, enqueue: Enqueue, at_harbor: Organisation
) -> None:
    """EM-01: the others get a notice; nothing of the person is on any wire."""
    people = [person(one, email=f"pat@{one}.example") for one in SIX]
    sign(*people)
    enqueue(people, path_classes=frozenset({"clinical"}))
    memory = Memory()

    def send(now: datetime) -> dispatch.Dispatched:
        return dispatch.run_once(transport=memory, now=now, onward=Onward.PER_DOMAIN)

    assert send(NOON).deferred == len(SIX), "nobody is believed before a look"
    assert receivers.run_once(world=country.world, now=NOON) == len(SIX)
    assert send(NOON + timedelta(minutes=1)).sent == len(SIX)
    with_body = [
        mail.recipient
        for mail in memory.sent
        if "how to eat well" in next(iter(parsed(mail).iter_parts())).get_content().lower()
    ]
    assert with_body == ["pat@valid.example"]
    routes = dict(Message.objects.values_list("contact_id", "route"))
    assert [routes[one] for one in people] == ["mail", *["portal"] * 5]
    for one in country.receivers.values():
        assert b"pat" not in one.heard
        assert b"MAIL FROM" not in one.heard.upper()


def test_what_was_seen_is_sealed_and_the_domain_is_not_to_be_read(
    country: Country, at_harbor: Organisation
) -> None:
    receivers.known({"valid.example"}, now=NOON)
    receivers.run_once(world=country.world, now=NOON)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select domain, found from messaging_receiver")
        ((domain, found),) = cursor.fetchall()
    assert b"valid" not in bytes(domain) + bytes(found)
    assert Receiver.objects.get().domain == "valid.example"


def test_a_look_lasts_and_is_not_repeated(country: Country, at_harbor: Organisation) -> None:
    receivers.known({"valid.example"}, now=NOON)
    assert receivers.run_once(world=country.world, now=NOON) == 1
    assert receivers.run_once(world=country.world, now=NOON + timedelta(hours=1)) == 0
    later = NOON + timedelta(hours=20)
    receivers.known({"valid.example"}, now=later)
    assert receivers.run_once(world=country.world, now=later) == 1


def test_what_nobody_writes_to_is_not_looked_at_again(
    country: Country, at_harbor: Organisation
) -> None:
    receivers.known({"valid.example"}, now=NOON)
    receivers.run_once(world=country.world, now=NOON)
    assert receivers.run_once(world=country.world, now=NOON + timedelta(days=9)) == 0


def test_our_look_makes_a_careless_relay_no_better() -> None:
    """EM-01: seeing that a server can be verified makes nobody verify it."""
    good = receivers.Known(Standing.VERIFIED)
    bad = receivers.Known(Standing.UNVERIFIED)
    assert receivers.onward(Onward.OPPORTUNISTIC, good, now=NOON) is Onward.OPPORTUNISTIC
    assert receivers.onward(Onward.PER_DOMAIN, good, now=NOON) is Onward.ENFORCED
    assert receivers.onward(Onward.ENFORCED, bad, now=NOON) is Onward.OPPORTUNISTIC


def test_a_first_look_that_never_comes_is_not_waited_for_long(at_harbor: Organisation) -> None:
    waits = receivers.Known(None, asked_at=NOON)
    assert receivers.onward(Onward.PER_DOMAIN, waits, now=NOON) == Hold("receiver_unknown")
    late = NOON + timedelta(minutes=11)
    assert receivers.onward(Onward.PER_DOMAIN, waits, now=late) is Onward.OPPORTUNISTIC


def test_another_organisation_knows_nothing_of_it(
    country: Country, at_harbor: Organisation, hill: Organisation
) -> None:
    """SE-01"""
    receivers.known({"valid.example"}, now=NOON)
    with tenancy.acting_for(hill.pk):
        assert not Receiver.objects.exists()


# MTA-STS (EM-17)


def sts(country: Country, domain: str, *, mode: str = "enforce", mx: str) -> None:
    country.zone.records[f"_mta-sts.{domain}", "TXT"] = ['"v=STSv1; id=1;"']
    address = f"https://mta-sts.{domain}/.well-known/mta-sts.txt"
    country.policies[address] = STS.format(mode=mode, mx=mx)


def test_a_policy_that_lists_the_server_is_believed(country: Country) -> None:
    """EM-17"""
    sts(country, "valid.example", mx="*.valid.example")
    assert judged(country, "valid.example") == ("verified", "mta_sts")


def test_a_server_that_the_policy_does_not_list_gets_nothing(country: Country) -> None:
    """EM-17"""
    sts(country, "valid.example", mx="mx.other.example")
    assert judged(country, "valid.example") == ("defer", "sts_mx_not_listed")


def test_testing_mode_only_reports(country: Country) -> None:
    """EM-17"""
    sts(country, "valid.example", mode="testing", mx="mx.other.example")
    assert judged(country, "valid.example") == ("verified", "certificate")


def test_a_policy_host_that_is_down_leaves_the_policy_that_is_kept(country: Country) -> None:
    """EM-17"""
    sts(country, "valid.example", mx="mx.other.example")
    first = looking.look("valid.example", None, country.world, now=REAL)
    country.policies.clear()
    country.zone.records["_mta-sts.valid.example", "TXT"] = ['"v=STSv1; id=2;"']
    second = looking.look("valid.example", first, country.world, now=REAL)
    assert (second.sts, second.sts_problem) == (first.sts, "not_fetched")
    assert judging.judge(second, now=REAL).standing is Standing.DEFER


def test_the_wish_for_tls_reports_is_seen(country: Country) -> None:
    country.zone.records["_smtp._tls.valid.example", "TXT"] = ['"v=TLSRPTv1; rua=mailto:a@b.c"']
    assert looking.look("valid.example", None, country.world, now=REAL).tls_rpt


# DANE (EM-18)


def tlsa(country: Country, kind: str, *, usage: int = 3, spoil: bool = False) -> None:
    made = x509.load_pem_x509_certificate(country.certificates[kind].read_bytes())
    public = made.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.sha256(public + b"!" * spoil).hexdigest()
    country.zone.records[f"_25._tcp.mx.{kind}.example", "TLSA"] = [f"{usage} 1 1 {digest}"]
    country.zone.secure = True


def test_a_3_1_1_match_needs_no_authority(country: Country) -> None:
    """EM-18"""
    tlsa(country, "selfsigned")
    assert judged(country, "selfsigned.example") == ("verified", "dane")


def test_a_mismatch_waits_although_the_certificate_is_good(country: Country) -> None:
    """EM-18: DANE outweighs an ordinary certificate and MTA-STS."""
    sts(country, "valid.example", mx="*.valid.example")
    tlsa(country, "valid", spoil=True)
    assert judged(country, "valid.example") == ("defer", "dane_failed")


def test_usages_0_and_1_do_not_count(country: Country) -> None:
    """EM-18"""
    tlsa(country, "valid", usage=1, spoil=True)
    assert judged(country, "valid.example") == ("verified", "certificate")


def test_a_broken_answer_waits(country: Country) -> None:
    """EM-18"""
    country.zone.secure = True
    country.zone.broken.add(("_25._tcp.mx.valid.example", "TLSA"))
    assert judged(country, "valid.example") == ("defer", "tlsa_failed")


def test_without_a_validated_answer_tlsa_is_no_word(country: Country) -> None:
    """EM-18"""
    tlsa(country, "selfsigned")
    country.zone.secure = False
    assert judged(country, "selfsigned.example")[0] == "unverified"


def test_a_domain_that_takes_no_mail_says_so(country: Country) -> None:
    country.zone.records["valid.example", "MX"] = ["0 ."]
    assert judged(country, "valid.example") == ("no_mail", "null_mx")
