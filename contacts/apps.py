from __future__ import annotations

from django.apps import AppConfig
from django.core import checks


class ContactsConfig(AppConfig):
    name = "contacts"

    def ready(self) -> None:
        from contacts.checks import columns_are_classified, fields_are_storable
        from contacts.importing import undoing
        from crypto import inventory

        undoing.register("contacts_beforemerge")
        checks.register(columns_are_classified)
        checks.register(fields_are_storable)
        # A key version that still seals a block must not be destroyed.
        inventory.register("contacts_segmentcolumn", "payload")
        inventory.register("contacts_membership", "payload")
        inventory.register("contacts_importchunk", "payload")
        inventory.register("contacts_foreseen", "payload")
