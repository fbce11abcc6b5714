"""Read a DMARC aggregate report: RFC 9990, and the older RFC 7489 that most still send.

Read by expat without a document type: what a report never has, and what every attack by XML
needs (entities that grow, files and addresses that are fetched). Names count without their
namespace, elements that are not known are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import NoReturn
from xml.parsers import expat

from messaging.domain_reports import report
from messaging.domain_reports.report import Line, Report, ReportRefused

_DEEPEST, _LONGEST = 12, 2_000
_MOST_RECORDS = 200_000
_DONE = frozenset({"none", "quarantine", "reject", "pass"})


def read(raw: bytes) -> Report:
    """Return the report; raises `ReportRefused`."""
    found = _Reading()
    try:
        found.parser.Parse(raw, True)
    except (expat.ExpatError, LookupError, ValueError) as why:
        if isinstance(why, ReportRefused):
            raise
        raise ReportRefused("It is not XML that can be read.") from None
    head = found.head
    begins = report.moment(head.get("report_metadata/date_range/begin"))
    ends = report.moment(head.get("report_metadata/date_range/end"))
    return Report(
        kind="dmarc",
        domain=report.domain(head.get("policy_published/domain")),
        reporter=report.text(head.get("report_metadata/org_name"), most=120, what="reporter"),
        number=report.text(head.get("report_metadata/report_id"), most=255, what="number"),
        begins_at=min(begins, ends),
        ends_at=max(begins, ends),
        policy=_word(head.get("policy_published/p")),
        lines=report.summed(found.lines),
    )


class _Reading:
    """What was found so far: texts of the head by path, and a line for each record."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._forbidden
        self.parser.EntityDeclHandler = self._forbidden
        self.head: dict[str, str] = {}
        self.lines: list[Line] = []
        self._path: list[str] = []
        self._said: list[str] = []
        self._record: dict[str, str] = {}
        self._records = 0

    def _forbidden(self, *_: object) -> NoReturn:
        raise ReportRefused("It declares a document type, which no report does.")

    def _start(self, name: str, _: Mapping[str, str]) -> None:
        self._path.append(name.rpartition(":")[2])
        self._said = []
        if self._path[0] != "feedback":
            raise ReportRefused("It is not a DMARC report.")
        if len(self._path) > _DEEPEST:
            raise ReportRefused("Its elements are nested too deeply.")

    def _text(self, said: str) -> None:
        if sum(map(len, self._said)) < _LONGEST:
            self._said.append(said[:_LONGEST])

    def _end(self, _: str) -> None:
        said, self._said = "".join(self._said).strip(), []
        path = self._path[1:]
        self._path.pop()
        if path == ["record"]:
            self._records += 1
            if self._records > _MOST_RECORDS:
                raise ReportRefused(f"It has more than {_MOST_RECORDS:,} records.")
            self.lines.append(_line(self._record))
            self._record = {}
        elif path and said:
            where = self._record if path[0] == "record" else self.head
            where.setdefault("/".join(path[1:] if where is self._record else path), said)


def _line(record: Mapping[str, str]) -> Line:
    try:
        source = str(ip_address(record.get("row/source_ip", "")))
    except ValueError:
        raise ReportRefused("A source in it is not an IP address.") from None
    return Line(
        source=source,
        count=report.count(record.get("row/count")),
        dkim=record.get("row/policy_evaluated/dkim", "").lower() == "pass",
        spf=record.get("row/policy_evaluated/spf", "").lower() == "pass",
        disposition=_word(record.get("row/policy_evaluated/disposition")),
    )


def _word(value: str | None) -> str:
    said = (value or "").lower()
    return said if said in _DONE else ""
