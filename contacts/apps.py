from __future__ import annotations

from django.apps import AppConfig
from django.core import checks


class ContactsConfig(AppConfig):
    name = "contacts"

    def ready(self) -> None:
        from contacts.checks import columns_are_classified, fields_are_storable

        checks.register(columns_are_classified)
        checks.register(fields_are_storable)
