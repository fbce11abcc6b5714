from __future__ import annotations

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import row_security, tenancy

        connection_created.connect(tenancy.remember, dispatch_uid="tenancy.remember")
        post_migrate.connect(
            row_security.applies_after_migrate, sender=self, dispatch_uid="row_security.apply"
        )
