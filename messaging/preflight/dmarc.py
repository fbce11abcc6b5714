"""DMARC by RFC 9989: the record that counts for a domain, found by walking up its tree.

Unknown tags are ignored, and so is `pct`, which the RFC took away: a record with pct=0 is treated
as its policy says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from messaging.preflight.dns import Names, tags

MOST_QUERIES = 8
MOST_LABELS = 7
Policy = Literal["none", "quarantine", "reject"]
_POLICIES = ("none", "quarantine", "reject")


@dataclass(frozen=True, slots=True)
class Record:
    """One DMARC record as far as it concerns a sender."""

    domain: str
    policy: Policy
    subdomains: Policy
    strict_dkim: bool
    strict_spf: bool
    testing: bool
    psd: str
    reports: bool

    def demands(self, domain: str) -> Policy:
        """Return what receivers are to do with mail of this domain that fails."""
        demanded = self.policy if domain == self.domain else self.subdomains
        if not self.testing:
            return demanded
        return {"reject": "quarantine", "quarantine": "none", "none": "none"}[demanded]  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Found:
    """The record that counts, if there is one, and the organisational domain."""

    record: Record | None
    organisational: str


def parse(domain: str, text: str) -> Record | None:
    """Return the record, or None where it is not one."""
    if not text.replace(" ", "").startswith("v=DMARC1"):
        return None
    found = tags(text)
    policy = found.get("p", "").lower()
    if policy not in _POLICIES:
        if not found.get("rua"):
            return None
        policy = "none"  # RFC 9989: a record with reports and no valid policy asks for none
    sub = found.get("sp", policy).lower()
    return Record(
        domain,
        policy,  # type: ignore[arg-type]
        sub if sub in _POLICIES else policy,  # type: ignore[arg-type]
        strict_dkim=found.get("adkim", "r").lower() == "s",
        strict_spf=found.get("aspf", "r").lower() == "s",
        testing=found.get("t", "n").lower() == "y",
        psd=found.get("psd", "u").lower(),
        reports=bool(found.get("rua")),
    )


def walk(domain: str, names: Names) -> list[Record]:
    """Return the records on the way up, nearest first; at most eight questions are asked."""
    labels = domain.rstrip(".").lower().split(".")
    records: list[Record] = []
    for asked in range(MOST_QUERIES):
        here = ".".join(labels)
        found = [one for text in names.txt(f"_dmarc.{here}") if (one := parse(here, text))]
        if len(found) == 1:
            records.append(found[0])
            if found[0].psd == "n" or (found[0].psd == "y" and asked):
                break
        labels = labels[-MOST_LABELS:] if len(labels) > MOST_LABELS + 1 else labels[1:]
        if not labels:
            break
    return records


def organisational(domain: str, records: list[Record]) -> str:
    """Return the domain below which everything belongs to one organisation."""
    domain = domain.rstrip(".").lower()
    for one in records:
        if one.psd == "n":
            return one.domain
        if one.psd == "y" and one.domain != domain:
            below = len(one.domain.split(".")) + 1
            return ".".join(domain.split(".")[-below:])
    return records[-1].domain if records else domain


def find(domain: str, names: Names) -> Found:
    """Return what counts for mail from this domain: its own record, or its organisation's."""
    domain = domain.rstrip(".").lower()
    records = walk(domain, names)
    owner = organisational(domain, records)
    own = next((one for one in records if one.domain == domain), None)
    inherited = next((one for one in records if one.domain == owner), None)
    suffix = next((one for one in records if one.psd == "y" and one.domain != domain), None)
    return Found(own or inherited or suffix, owner)


def aligned(signing: str, from_domain: str, *, strict: bool, names: Names) -> bool:
    """Say whether a signature or envelope of `signing` speaks for mail from `from_domain`."""
    signing, from_domain = signing.lower(), from_domain.lower()
    if signing == from_domain:
        return True
    if strict:
        return False
    return find(signing, names).organisational == find(from_domain, names).organisational
