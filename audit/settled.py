"""Read rows after a cursor without ever skipping one that was still being written.

Numbers from a sequence become visible out of order: a row with a lower number may commit later.
Rows that others read by a cursor carry `txid`, the number of the transaction that wrote them. Below
the oldest transaction still running (`HORIZON`) nothing can appear any more, so a reader takes
only rows with `txid < HORIZON`, in the order (txid, id), and remembers the last pair.

    SELECT ... WHERE (txid, id) > (%s::text::xid8, %s) AND txid < pg_snapshot_xmin(...) ORDER BY ...
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Func

HORIZON = "pg_snapshot_xmin(pg_current_snapshot())"
SETTLED = f"txid < {HORIZON}"


class CurrentTransaction(Func):
    """The number of the transaction that writes the row."""

    function = "pg_current_xact_id"
    arity = 0


class TransactionNumberField(models.Field):  # type: ignore[type-arg]
    """PostgreSQL's xid8: 64 bits, never reused. Filled by the database; read as an int."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given: dict[str, Any] = {"db_default": CurrentTransaction(), "editable": False}
        super().__init__(*args, **(given | kwargs))

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> int | None:
        return None if value is None else int(value)

    def get_prep_value(self, value: Any) -> Any:
        return str(value) if isinstance(value, int) else super().get_prep_value(value)
