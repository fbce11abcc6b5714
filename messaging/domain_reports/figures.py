"""What the reports of a period say: DMARC by source, TLS by result; each a statement or two."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet, Sum

from messaging.domain_reports.models import DomainReport, DomainReportLine
from messaging.domain_reports.tls import RESULTS

PERIOD = timedelta(days=30)
MOST_SOURCES = 200
_PASSED = Q(dkim=True) | Q(spf=True)
"""DMARC passes by either, aligned (RFC 9989 4.1)."""


@dataclass(frozen=True, slots=True)
class Source:
    """What receivers said of the mails from one address."""

    address: str
    mails: int
    passed: int
    dkim: int
    spf: int
    stopped: int
    """Refused or put into spam by the domain's policy."""
    reporters: int
    ours: bool

    @property
    def failed(self) -> int:
        return self.mails - self.passed

    @property
    def advice(self) -> str:
        if not self.failed:
            return ""
        if self.ours:
            return "Ours, and fails: see Sending domain for its signature and SPF."
        if self.passed:
            return "Passes at times: most often a forwarder, which breaks SPF and some signatures."
        return "Not known as ours: a forgery, or a system nobody added. Ask before p=reject."


@dataclass(frozen=True, slots=True)
class Failure:
    """So many connections to a host of ours that failed in one way."""

    host: str
    result: str
    sessions: int

    @property
    def advice(self) -> str:
        return RESULTS.get(self.result, "")


@dataclass(frozen=True, slots=True)
class Told:
    """What was reported of one domain."""

    domain: str
    reports: int
    reporters: int
    mails: int
    passed: int
    sources: list[Source]
    more_sources: int
    sessions: int
    failures: list[Failure]

    @property
    def share(self) -> str:
        return f"{self.passed / self.mails:.1%}" if self.mails else ""

    @property
    def failed_sessions(self) -> int:
        return sum(one.sessions for one in self.failures)


def of_period(*, own: Collection[str] = (), now: datetime) -> list[Told]:
    """Return what was reported of each domain; `own` are the addresses we know we send from."""
    rows = DomainReport.objects.filter(ends_at__gte=now - PERIOD)
    counted = rows.values("domain").annotate(
        reports=Count("id"), reporters=Count("reporter", distinct=True)
    )
    return [
        _told(one["domain"], one["reports"], one["reporters"], set(own), since=now - PERIOD)
        for one in counted.order_by("domain")
    ]


def _told(domain: str, reports: int, reporters: int, own: set[str], *, since: datetime) -> Told:
    lines = DomainReportLine.objects.filter(report__domain=domain, report__ends_at__gte=since)
    mails = lines.filter(report__kind=DomainReport.Kind.DMARC)
    whole = mails.aggregate(
        all=Sum("count"), passed=Sum("count", filter=_PASSED), places=Count("source", distinct=True)
    )
    tls = lines.filter(report__kind=DomainReport.Kind.TLS)
    failures = tls.exclude(result="").values("source", "result").annotate(sessions=Sum("count"))
    return Told(
        domain,
        reports,
        reporters,
        whole["all"] or 0,
        whole["passed"] or 0,
        _sources(mails, own),
        max(0, whole["places"] - MOST_SOURCES),
        tls.aggregate(all=Sum("count"))["all"] or 0,
        [Failure(one["source"], one["result"], one["sessions"]) for one in failures],
    )


def _sources(mails: QuerySet[DomainReportLine], own: set[str]) -> list[Source]:
    """Return those with most mails that failed first, then those with most mails."""
    rows = mails.values("source").annotate(
        mails=Sum("count"),
        passed=Sum("count", filter=_PASSED, default=0),
        by_dkim=Sum("count", filter=Q(dkim=True), default=0),
        by_spf=Sum("count", filter=Q(spf=True), default=0),
        stopped=Sum("count", filter=Q(disposition__in=("quarantine", "reject")), default=0),
        reporters=Count("report__reporter", distinct=True),
    )
    found = [
        Source(
            one["source"],
            one["mails"],
            one["passed"],
            one["by_dkim"],
            one["by_spf"],
            one["stopped"],
            one["reporters"],
            one["source"] in own,
        )
        for one in rows.order_by("-mails", "source")[:MOST_SOURCES]
    ]
    return sorted(found, key=lambda one: (-one.failed, -one.mails))
