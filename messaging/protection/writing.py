"""Postfix's TLS policy for each domain, from what we know of its servers. Pure but for the rows.

    python manage.py tls_policy > /etc/postfix/tls_policy && postmap /etc/postfix/tls_policy

The relay then delivers to a domain that we believe in over verified TLS or not at all, which is
what `SMTP_ONWARD_TLS=per_domain` promises. A domain that is not in the table gets the relay's
default, and no message that needs protection on that hop is mailed there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from messaging.protection import facts, judging
from messaging.protection.facts import Found
from messaging.protection.judging import Judgement, Standing
from messaging.protection.models import Receiver

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)+")


def line(found: Found, judged: Judgement) -> str | None:
    """Return the table's line for a domain that is believed in; None for every other."""
    if judged.standing is not Standing.VERIFIED or not _NAME.fullmatch(found.domain):
        return None
    if judged.because == "dane":
        return f"{found.domain} dane-only"
    names = found.sts.mx if judged.because == "mta_sts" and found.sts else judged.hosts
    # Postfix writes "any one label" as a leading dot.
    told = [name.lower().removeprefix("*") for name in names]
    fit = [name for name in told if _NAME.fullmatch(name.removeprefix("."))]
    if not fit:
        return None
    return f"{found.domain} secure match={':'.join(fit)} protocols=>=TLSv1.2 ciphers=high"


def lines(rows: Iterable[Receiver], *, now: datetime) -> Iterator[str]:
    """Return the lines of what still stands, in the order of the domains."""
    made = set()
    for row in rows:
        if row.found and row.expires_at and row.expires_at > now:
            found = facts.read(row.found)
            if (one := line(found, judging.judge(found, now=now))) is not None:
                made.add(one)
    yield from sorted(made)
