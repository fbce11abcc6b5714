"""Lines of one organisation's mail: a row for each server, TLS version, cipher and certificate."""

from __future__ import annotations

from django.db import models

from accounts.tenancy import TenantModel


class Line(TenantModel):
    """What secured a verified connection. Nothing changes in it."""

    id = models.BigAutoField(primary_key=True)
    host = models.CharField(max_length=253)
    tls = models.CharField(max_length=16)
    cipher = models.CharField(max_length=64)
    certificate = models.CharField(max_length=64)
    """SHA-256 of the server's certificate, in hexadecimal digits."""
    issuer = models.CharField(max_length=120, blank=True)
    expires_at = models.DateTimeField()
    first_used_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "host", "tls", "cipher", "certificate"],
                name="messaging_line_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.tls} {self.host}"
