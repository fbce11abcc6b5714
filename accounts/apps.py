from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import row_security, tenancy

        def refuse_unbound(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
            if settings.PRODUCTION and connection.alias == "default":
                row_security.refuse_unbound(connection)

        connection_created.connect(
            refuse_unbound, weak=False, dispatch_uid="row_security.refuse_unbound"
        )
        connection_created.connect(tenancy.remember, dispatch_uid="tenancy.remember")
        post_migrate.connect(
            row_security.applies_after_migrate, sender=self, dispatch_uid="row_security.apply"
        )
