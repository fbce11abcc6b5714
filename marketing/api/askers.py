"""A machine as a reader of figures: what its key's scopes open decides how counts are told."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from accounts.models import ApiKey
from accounts.roles import Permission
from marketing.api import contacts


@dataclass(frozen=True, slots=True)
class Machine:
    key: ApiKey

    @property
    def pk(self) -> UUID:
        return self.key.id

    @property
    def data_classes(self) -> frozenset[str]:
        return frozenset(kind.value for kind in contacts.classes_of(self.key))

    def may(self, permission: Permission) -> bool:
        return self.key.allows(permission)
