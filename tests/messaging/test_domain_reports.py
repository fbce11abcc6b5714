"""Reports of receivers on our domains: read as hostile input, kept once, shown by source."""

from __future__ import annotations

import gzip
import json
import zipfile
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from audit.models import Entry
from messaging.domain_reports import ReportRefused, dmarc, figures, keeping, tls, unpacking
from messaging.domain_reports.report import Line
from messaging.hearing import intake, mailbox
from messaging.models import DomainReport, DomainReportLine, Returned
from tests.conftest import NOON
from tests.messaging.test_bounces import COMPLAINT
from tests.messaging.test_hearing import Folder

NAME = "mail.example!harbor.example!1772409600!1772496000.xml.gz"
RECORD = """<record><row><source_ip>{ip}</source_ip><count>{count}</count>
<policy_evaluated><disposition>{done}</disposition><dkim>{dkim}</dkim><spf>{spf}</spf>
</policy_evaluated></row><identifiers><header_from>harbor.example</header_from></identifiers>
<auth_results><dkim><domain>harbor.example</domain><result>pass</result></dkim></auth_results>
</record>"""
AGGREGATE = """<?xml version="1.0" encoding="UTF-8"?>
<feedback{namespace}><version>1.0</version><report_metadata><org_name>Mail Example</org_name>
<email>dmarc@mail.example</email><report_id>{number}</report_id><date_range>
<begin>1772409600</begin><end>1772496000</end></date_range></report_metadata>
<policy_published><domain>{domain}</domain><discovery_method>treewalk</discovery_method>
<p>none</p><sp>none</sp><testing>n</testing></policy_published>{records}</feedback>"""


def record(ip: str = "192.0.2.7", count: object = 3, dkim: str = "pass", **more: str) -> str:
    return RECORD.format(ip=ip, count=count, dkim=dkim, **{"spf": "fail", "done": "none"} | more)


def aggregate(*records: str, domain: str = "harbor.example", number: str = "n1") -> bytes:
    namespace = ' xmlns="urn:ietf:params:xml:ns:dmarc-2.0"'
    said = "".join(records or (record(),))
    return AGGREGATE.format(
        namespace=namespace, domain=domain, number=number, records=said
    ).encode()


def tls_report(**more: Any) -> dict[str, Any]:
    policy = {
        "policy": {
            "policy-type": "sts",
            "policy-domain": "harbor.example",
            "mx-host": ["mx.harbor.example"],
        },
        "summary": {"total-successful-session-count": 90, "total-failure-session-count": 10},
        "failure-details": [
            {
                "result-type": "certificate-expired",
                "receiving-mx-hostname": "mx2.harbor.example",
                "failed-session-count": 8,
            }
        ],
    }
    return {
        "organization-name": "Mail Example",
        "date-range": {
            "start-datetime": "2026-03-01T00:00:00Z",
            "end-datetime": "2026-03-01T23:59:59Z",
        },
        "report-id": "t1",
        "policies": [policy],
    } | more


def mail(content: bytes, *, name: str = NAME, kind: str = "application/gzip") -> bytes:
    return (
        f"From: dmarc@mail.example\r\nTo: d@harbor.example\r\nSubject: Report Domain\r\n"
        f'MIME-Version: 1.0\r\nContent-Type: {kind}; name="{name}"\r\n'
        f'Content-Disposition: attachment; filename="{name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    ).encode() + b64encode(content)


def zipped(*files: bytes) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, one in enumerate(files):
            archive.writestr(f"{place}.xml", one)
    return packed.getvalue()


@pytest.fixture
def harbors(at_harbor: Organisation) -> Organisation:
    Organisation.objects.filter(pk=at_harbor.pk).update(mail_from="care@harbor.example")
    return at_harbor


# Reading


@pytest.mark.parametrize("packed", [aggregate(), gzip.compress(aggregate()), zipped(aggregate())])
def test_a_dmarc_report_is_read_however_it_is_packed(packed: bytes) -> None:
    """EM-15"""
    found = keeping.read(packed)
    assert (found.kind, found.domain, found.reporter) == ("dmarc", "harbor.example", "Mail Example")
    assert found.ends_at == datetime(2026, 3, 3, tzinfo=UTC)
    assert found.lines == (Line("192.0.2.7", 3, dkim=True, disposition="none"),)


def test_a_report_of_the_older_rules_without_a_namespace_is_read() -> None:
    """EM-15"""
    older = aggregate().replace(b' xmlns="urn:ietf:params:xml:ns:dmarc-2.0"', b"")
    assert dmarc.read(older).policy == "none"


def test_records_of_one_source_and_result_are_summed() -> None:
    found = dmarc.read(aggregate(record(count=3), record(count=4), record("2001:db8::1")))
    assert [(one.source, one.count) for one in found.lines] == [
        ("192.0.2.7", 7),
        ("2001:db8::1", 3),
    ]


ENTITIES = b"""<?xml version="1.0"?><!DOCTYPE feedback [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><feedback><version>&b;</version></feedback>"""
EXTERNAL = b"""<?xml version="1.0"?><!DOCTYPE feedback SYSTEM "file:///etc/passwd">
<feedback><version>1</version></feedback>"""


@pytest.mark.parametrize("hostile", [ENTITIES, EXTERNAL])
def test_xml_that_declares_entities_or_files_is_refused(hostile: bytes) -> None:
    """SE-19"""
    with pytest.raises(ReportRefused, match="document type"):
        keeping.read(hostile)


def test_packed_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """EM-15, SR-23"""
    monkeypatch.setattr(unpacking, "LARGEST", 2**20)
    bomb = b"<feedback>" + b" " * 2**21
    for packed in (gzip.compress(bomb), zipped(bomb)):
        with pytest.raises(ReportRefused, match="larger"):
            keeping.read(packed)


def test_a_zip_of_several_files_is_refused() -> None:
    with pytest.raises(ReportRefused, match="not one file"):
        keeping.read(zipped(aggregate(), aggregate()))


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (aggregate(record("ada@example.org")), "IP address"),
        (aggregate(record(count="-1")), "count"),
        (aggregate(record(count="9" * 30)), "count"),
        (aggregate().replace(b"1772409600", b"soon"), "period"),
        (aggregate().replace(b"<report_id>n1</report_id>", b""), "number"),
        (b"<html></html>", "not a DMARC report"),
        (b"<feedback>" + b"<a>" * 20, "nested"),
        (b"PK\x03\x04 nothing", "zip file is broken"),
        (gzip.compress(aggregate())[:-20], "ends too soon"),
        (b"hello", "XML"),
        (b"{", "JSON"),
        (b"[" * 100_000, "XML"),
        (b'{"policies": []}', "TLS report"),
    ],
)
def test_what_is_no_report_is_refused_with_a_reason(broken: bytes, why: str) -> None:
    with pytest.raises(ReportRefused, match=why):
        keeping.read(broken)


@given(st.binary(max_size=400))
def test_whatever_comes_is_read_or_refused(raw: bytes) -> None:
    for packed in (raw, b"<feedback>" + raw, b"{" + raw, b"PK\x03\x04" + raw, b"\x1f\x8b" + raw):
        with pytest.raises(ReportRefused):
            keeping.read(packed)


def test_a_tls_report_gives_sessions_by_result() -> None:
    """EM-15"""
    found = tls.read(json.dumps(tls_report()).encode())
    assert [(one.source, one.count, one.result) for one in found.lines] == [
        ("mx.harbor.example", 90, ""),
        ("mx2.harbor.example", 8, "certificate-expired"),
        ("mx.harbor.example", 2, "unspecified"),
    ]


# Taking in


def test_a_report_by_mail_is_kept_once(harbors: Organisation) -> None:
    raw = mail(gzip.compress(aggregate()))
    first, second = (intake.take(raw, source="imap", now=NOON) for _ in range(2))
    assert (first.kind, first.repeated, second.repeated) == ("domain_report", False, True)
    assert (DomainReport.objects.count(), DomainReportLine.objects.count()) == (1, 1)
    assert not Returned.objects.exists()


def test_taking_one_in_is_in_the_trail(harbors: Organisation) -> None:
    intake.take(mail(gzip.compress(aggregate())), source="imap", now=NOON)
    entry = Entry.objects.get(action="sending.report_taken")
    assert json.loads(entry.detail) == {
        "kind": "dmarc",
        "domain": "harbor.example",
        "source": "imap",
        "count": 1,
    }


def test_a_tls_report_by_mail_is_known_by_its_type(harbors: Organisation) -> None:
    packed = gzip.compress(json.dumps(tls_report()).encode())
    raw = mail(packed, name="r.json.gz", kind="application/tlsrpt+gzip")
    assert intake.take(raw, source="imap", now=NOON).matched
    assert DomainReport.objects.get().kind == "tls"


def test_a_persons_attachment_is_not_read_as_a_report() -> None:
    assert unpacking.of_mail(mail(b"x", name="notes!.zip")) is None


def test_a_report_on_somebody_elses_domain_is_refused(harbors: Organisation) -> None:
    with pytest.raises(ReportRefused, match="do not send from"):
        keeping.take(aggregate(domain="elsewhere.example"), source="api", now=NOON)
    taken = intake.take(mail(b"\x1f\x8bbroken"), source="imap", now=NOON)
    assert not taken.matched
    assert Entry.objects.filter(action="sending.report_refused").exists()


def test_a_mailbox_gives_each_report_to_who_sends_from_the_domain(
    harbors: Organisation, hill: Organisation
) -> None:
    with tenancy.acting_for(hill.pk):
        Organisation.objects.filter(pk=hill.pk).update(mail_from="care@hill.example")
    folder = Folder(
        mail(gzip.compress(aggregate())), mail(gzip.compress(aggregate(domain="x.org")))
    )
    assert (mailbox.read(folder, now=NOON), folder.read) == (1, ["0"])
    with tenancy.acting_for(hill.pk):
        assert not DomainReport.objects.exists()


def test_a_report_on_a_domain_that_two_send_from_is_nobodys(
    harbors: Organisation, hill: Organisation
) -> None:
    """SE-01: its counts are of both."""
    with tenancy.acting_for(hill.pk):
        Organisation.objects.filter(pk=hill.pk).update(mail_from="care@harbor.example")
    assert mailbox.read(Folder(mail(gzip.compress(aggregate()))), now=NOON) == 0


def test_an_authentication_failure_report_is_no_complaint(harbors: Organisation) -> None:
    """EM-13: RFC 9991 reports are about mail, and nobody said no."""
    raw = COMPLAINT.replace("Feedback-Type: abuse", "Feedback-Type: auth-failure").encode()
    intake.take(raw, source="imap", now=NOON)
    assert set(Returned.objects.values_list("kind", flat=True)) == {Returned.Kind.FEEDBACK}


# Shown


def test_figures_put_the_source_that_fails_most_first(harbors: Organisation) -> None:
    lines = [
        record("192.0.2.7", 90, "pass", spf="pass"),
        record("198.51.100.9", 5, "fail", done="quarantine"),
    ]
    keeping.take(aggregate(*lines), source="api", now=NOON)
    (told,) = figures.of_period(own=["192.0.2.7"], now=datetime(2026, 3, 4, tzinfo=UTC))
    assert (told.mails, told.passed, told.share) == (95, 90, "94.7%")
    assert [(one.address, one.failed, one.stopped, one.ours) for one in told.sources] == [
        ("198.51.100.9", 5, 5, False),
        ("192.0.2.7", 0, 0, True),
    ]


def recent() -> bytes:
    stamp = str(int(timezone.now().timestamp())).encode()
    return aggregate().replace(b"1772496000", stamp)


def bring(client: Client, content: bytes) -> Any:
    return client.post("/delivery/reports/", {"report": SimpleUploadedFile("r.xml", content)})


def test_a_report_that_somebody_brings_is_shown_by_source(
    harbors: Organisation, omar: User, sign_in_as: Callable[[User], Client]
) -> None:
    client = sign_in_as(omar)
    assert bring(client, recent()).status_code == 302
    page = client.get("/delivery/reports/").content.decode()
    assert "192.0.2.7" in page
    assert "3 of 3 mails passed DMARC" in page


def test_a_file_that_is_no_report_is_refused_at_its_field(
    harbors: Organisation, omar: User, sign_in_as: Callable[[User], Client]
) -> None:
    answer = bring(sign_in_as(omar), EXTERNAL)
    assert answer.status_code == 400
    assert "document type" in answer.content.decode()


def test_another_organisation_sees_nothing_of_it(
    harbors: Organisation, ivy: User, sign_in_as: Callable[[User], Client]
) -> None:
    keeping.take(recent(), source="api", now=NOON)
    page = sign_in_as(ivy).get("/delivery/reports/")
    assert "192.0.2.7" not in page.content.decode()


def test_a_role_without_delivery_is_not_shown_them(
    harbors: Organisation, sign_in_as: Callable[[User], Client]
) -> None:
    with tenancy.acting_for(harbors.pk):
        dora = staff.add("dora@harbor.example", name="Dora", role=Role.DESIGNER, now=NOON)
    assert sign_in_as(dora).get("/delivery/reports/").status_code == 403
    assert bring(sign_in_as(dora), recent()).status_code == 403
