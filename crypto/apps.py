from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings


class CryptoConfig(AppConfig):
    name = "crypto"

    def ready(self) -> None:
        """Refuse to start in production without a root key that is fit for it."""
        from crypto import root

        if settings.ATTUNE_MODE == "production":
            root.provider()
