"""Print the purposes and their rules as the table of docs/purposes.md."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from consent.purposes import PurposeRule
from consent.rulebook import Rules
from consent.rules import shelf

HEAD = (
    "| purpose | authorization | a no to this stops it | may say | quiet hours | first | law |",
    "|---|---|---|---|---|---|---|",
)


def table(rules: Rules) -> str:
    """Return one line for each purpose, in the order in which they go first."""
    ordered = sorted(rules.purposes.values(), key=lambda one: (one.priority, one.label))
    return "\n".join([*HEAD, *map(_line, ordered)])


def _line(rule: PurposeRule) -> str:
    says = "anything" if rule.classes is None else ", ".join(sorted(rule.classes))
    stops = ", ".join(
        one for one in ("everything", "channel", "purpose", "topic") if one in rule.stopped_by
    )
    needed = "needed" if rule.needs_authorization else "none"
    wait = "wait" if rule.quiet else "do not hold it"
    cells = (
        f"{rule.label} (`{rule.key}`)", needed, stops, says, wait, str(rule.priority), rule.law,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(table(shelf.at(timezone.now())))
