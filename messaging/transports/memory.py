"""A transport that keeps what it is given, and answers as it is told to: for tests and previews."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from messaging.protect import Hop
from messaging.transports.base import Fate, Outcome, Outgoing, Stays, none_stays

Answer = Callable[[Outgoing], Outcome]


def accept(mail: Outgoing) -> Outcome:
    return Outcome(mail.number, Fate.ACCEPTED, "250")


class Memory:
    overlaps = False
    whole = True

    def __init__(self, *, hop: Hop = Hop.VERIFIED, answer: Answer = accept) -> None:
        self.hop = hop
        self.answer = answer
        self.sent: list[Outgoing] = []

    def send(self, batch: Sequence[Outgoing], *, stays: Stays = none_stays) -> list[Outcome]:
        outcomes = []
        for mail in batch:
            if code := stays(mail.number):
                outcomes.append(Outcome(mail.number, Fate.NOT_TRIED, code=code))
                continue
            outcome = self.answer(mail)
            if outcome.fate in (Fate.ACCEPTED, Fate.UNCLEAR):
                self.sent.append(mail)
            outcomes.append(outcome)
        return outcomes

    def close(self) -> None:
        """Nothing to close."""
