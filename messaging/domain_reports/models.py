"""Reports on our domains, summed by source: addresses of servers and counts, nobody's mail."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel
from crypto.ids import uuid7


class DomainReport(TenantModel):
    """One report of one receiver on one domain over one period, usually a day."""

    class Kind(models.TextChoices):
        DMARC = "dmarc", "DMARC"
        TLS = "tls", "TLS"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=5, choices=Kind)
    domain = models.CharField(max_length=253)
    reporter = models.CharField(max_length=120)
    number = models.CharField(max_length=255)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    policy = models.CharField(max_length=16, blank=True, default="")
    source = models.CharField(max_length=12)
    """How it came: imap, api, pipe or upload."""
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "kind", "domain", "reporter", "number"],
                name="messaging_domain_report_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["organisation", "domain", "ends_at"], name="messaging_domain_report_when"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.domain}"


class DomainReportLine(TenantModel):
    """So many mails (DMARC) or connections (TLS) of one source with one result."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    report = models.ForeignKey(DomainReport, on_delete=models.CASCADE, related_name="lines")
    source = models.CharField(max_length=253)
    count = models.BigIntegerField()
    dkim = models.BooleanField()
    spf = models.BooleanField()
    disposition = models.CharField(max_length=12, blank=True, default="")
    result = models.CharField(max_length=40, blank=True, default="")

    def __str__(self) -> str:
        return self.source
