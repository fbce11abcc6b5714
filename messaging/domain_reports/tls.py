"""Read a TLS report (RFC 8460): how others' mail servers got on with ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from messaging.domain_reports import report
from messaging.domain_reports.report import Line, Report, ReportRefused

RESULTS = {
    "starttls-not-supported": "The server did not offer STARTTLS. Turn it on there.",
    "certificate-host-mismatch": "The certificate is for another name. Get one for the MX's name.",
    "certificate-expired": "The certificate had expired. Renew it, and see why that was not done.",
    "certificate-not-trusted": "No known authority signed the certificate. Get one that is.",
    "validation-failure": "TLS failed for another reason. Look into the server's log.",
    "tlsa-invalid": "The TLSA record does not fit the certificate. Publish the new one first.",
    "dnssec-invalid": "The zone's signatures did not hold. Have whoever runs its DNS look.",
    "dane-required": "DANE was asked for and there was no usable TLSA record.",
    "sts-policy-fetch-error": "The MTA-STS policy could not be fetched. See its web server.",
    "sts-policy-invalid": "The MTA-STS policy has a mistake in it.",
    "sts-webpki-invalid": "The web server of the MTA-STS policy has no good certificate.",
    "unspecified": "The reporter did not say why.",
}
"""The results of RFC 8460 4.3, with what to do."""
_POLICIES = frozenset({"sts", "tlsa", "no-policy-found"})


def read(raw: bytes) -> Report:
    """Return the report; raises `ReportRefused`."""
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        raise ReportRefused("It is not JSON that can be read.") from None
    whole = _object(said)
    period = _object(whole.get("date-range"))
    policies = [_object(one) for one in _list(whole.get("policies"))]
    if not policies:
        raise ReportRefused("It says nothing of any policy.")
    first = _object(policies[0].get("policy"))
    begins, ends = _when(period.get("start-datetime")), _when(period.get("end-datetime"))
    return Report(
        kind="tls",
        domain=_one_domain(policies),
        reporter=report.text(whole.get("organization-name"), most=120, what="reporter"),
        number=report.text(whole.get("report-id"), most=255, what="number"),
        begins_at=min(begins, ends),
        ends_at=max(begins, ends),
        policy=kind if (kind := first.get("policy-type")) in _POLICIES else "",
        lines=report.summed(line for one in policies for line in _lines(one)),
    )


def _one_domain(policies: list[Mapping[str, Any]]) -> str:
    found = {report.domain(_object(one.get("policy")).get("policy-domain")) for one in policies}
    if len(found) > 1:
        raise ReportRefused("It speaks of several domains; a report is for one.")
    return found.pop()


def _lines(policy: Mapping[str, Any]) -> Iterator[Line]:
    """Return the sessions in order, the failures by kind, and those that no kind was given for."""
    summary = _object(policy.get("summary"))
    hosts = _object(policy.get("policy")).get("mx-host")
    named = hosts[0] if isinstance(hosts, list) and hosts else hosts
    host = report.domain(named) if isinstance(named, str) and named.strip() else ""
    if fine := report.count(summary.get("total-successful-session-count", 0)):
        yield Line(host, fine)
    rest = report.count(summary.get("total-failure-session-count", 0))
    for one in map(_object, _list(policy.get("failure-details", []))):
        failed = report.count(one.get("failed-session-count", 0))
        met = one.get("receiving-mx-hostname")
        where = report.domain(met) if isinstance(met, str) and met.strip() else host
        kind = one.get("result-type")
        yield Line(where, failed, result=kind if kind in RESULTS else "validation-failure")
        rest -= failed
    if rest > 0:
        yield Line(host, rest, result="unspecified")


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ReportRefused("It is not a TLS report.")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list) or len(value) > report.MOST_LINES:
        raise ReportRefused("It is not a TLS report, or too long.")
    return value


def _when(value: object) -> datetime:
    try:
        found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        raise ReportRefused("Its period cannot be read.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
