"""Take in a report on a domain of ours, once, and sum up what thirty days of them say."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from audit import actions, trail
from messaging import sender
from messaging.domain_reports import dmarc, tls, unpacking
from messaging.domain_reports.models import DomainReport, DomainReportLine
from messaging.domain_reports.report import Report, ReportRefused

KEPT = timedelta(days=400)
"""A year and a little: a domain's policy is tightened over months."""

actions.register("sending.report_taken", ("kind", "domain", "source", "count"))
actions.register("sending.report_refused", ("source",))


def read(packed: bytes) -> Report:
    """Return the report in the file, packed or not; raises `ReportRefused`."""
    raw = unpacking.unpacked(packed).lstrip(b"\xef\xbb\xbf \t\r\n")
    if raw.startswith(b"{"):
        return tls.read(raw)
    return dmarc.read(raw)


def is_ours(report: Report) -> bool:
    """Say whether the current organisation sends from the domain, or from one below or above it.

    A DMARC record may stand at the organisational domain, a report then speaks of that.
    """
    told = f".{report.domain}"
    return any(told.endswith(f".{own}") or f".{own}".endswith(told) for own in sender.domains())


def concerns_us(packed: bytes) -> bool:
    """Say whether this is a report on a domain of the current organisation."""
    try:
        return is_ours(read(packed))
    except ReportRefused:
        return False


@transaction.atomic
def take(packed: bytes, *, source: str, now: datetime) -> bool:
    """Keep the report; say whether it was new. Raises `ReportRefused`."""
    report = read(packed)
    if not is_ours(report):
        raise ReportRefused("It is about a domain that we do not send from.")
    row, new = DomainReport.objects.get_or_create(
        kind=report.kind,
        domain=report.domain,
        reporter=report.reporter,
        number=report.number,
        defaults={
            "begins_at": report.begins_at,
            "ends_at": report.ends_at,
            "policy": report.policy,
            "source": source,
            "received_at": now,
        },
    )
    if new:
        _keep(row, report, now=now)
    return new


def _keep(row: DomainReport, report: Report, *, now: datetime) -> None:
    DomainReportLine.objects.bulk_create(
        [
            DomainReportLine(
                report=row,
                source=one.source,
                count=one.count,
                dkim=one.dkim,
                spf=one.spf,
                disposition=one.disposition,
                result=one.result,
            )
            for one in report.lines
        ],
        batch_size=1_000,
    )
    DomainReport.objects.filter(received_at__lt=now - KEPT).delete()
    trail.record(
        "sending.report_taken",
        subject=f"domain_report:{row.pk}",
        detail={
            "kind": row.kind,
            "domain": row.domain,
            "source": row.source,
            "count": len(report.lines),
        },
    )


def refused(*, source: str) -> None:
    """Write down that a mail brought something that calls itself a report and is none."""
    trail.record("sending.report_refused", detail={"source": source})
