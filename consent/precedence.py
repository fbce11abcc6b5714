"""A withdrawal and a claim for sending never overlap: one lock for each organisation.

Whoever claims messages holds it shared, from before the gate is asked until the claim commits;
whoever records a withdrawal holds it alone until that commits. So a claim either commits before the
withdrawal was received, or it sees the withdrawal. PostgreSQL serves the queue in order: a steady
stream of claims cannot starve a withdrawal, which waits for the claims in flight (milliseconds).
Both must ask before they lock rows of messages, or the two could wait for each other.
"""

from __future__ import annotations

from django.db import connection

from accounts import tenancy

CHANNEL = "attune_withdrawal"
"""Where a withdrawal is told of when it commits; the payload is the organisation."""
SPACE = 0x434F4E53  # "CONS": the first half of the advisory lock's key


def hold_for_claim() -> None:
    """Wait for withdrawals in flight, and let none begin before this transaction ends."""
    _hold("pg_advisory_xact_lock_shared")


def hold_for_withdrawal() -> None:
    """Wait for claims in flight, and let none begin before this transaction ends.

    Whoever is handing messages over hears of it when this transaction commits.
    """
    _hold("pg_advisory_xact_lock")
    with connection.cursor() as cursor:
        cursor.execute("select pg_notify(%s, %s)", (CHANNEL, str(tenancy.current())))


def _hold(function: str) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("hold the lock inside a transaction (transaction.atomic)")
    with connection.cursor() as cursor:
        cursor.execute(f"select {function}(%s, %s)", (SPACE, tenancy.current()))
