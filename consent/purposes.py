"""Why a message is sent, and what somebody's payment makes of it. Pure; the rules are data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal


class Purpose(StrEnum):
    """Why a message is sent, in the sense of 45 CFR 164.501."""

    TREATMENT = "treatment"
    CARE_COORDINATION = "care_coordination"
    APPOINTMENT = "appointment"
    PAYMENT = "payment"
    OPERATIONS = "operations"
    REFILL = "refill"
    FUNDRAISING = "fundraising"
    MARKETING = "marketing"
    REMUNERATED_MARKETING = "remunerated_marketing"
    RESEARCH = "research"
    SERVICE_NOTICE = "service_notice"


OptOutKind = Literal["everything", "channel", "purpose", "topic"]


@dataclass(frozen=True, slots=True)
class PurposeRule:
    """What the rules say of one purpose."""

    key: str
    label: str
    about: str
    needs_authorization: bool
    stopped_by: frozenset[str]
    law: str
    priority: int
    classes: frozenset[str] | None = None
    """What the message may say of the person; None is anything that nothing else forbids."""
    also_stopped: frozenset[str] = frozenset()
    when_paid: str = "remunerated_marketing"
    paid_up_to_cost: bool = False
    most_days_lapsed: int | None = None
    states_remuneration: bool = False
    quiet: bool = True
    commercial: bool = False


@dataclass(frozen=True, slots=True)
class Remuneration:
    """What a third party gives for the sending of a message.

    `payer` and `product_of` are names; the payment counts only where the payer is whose product
    is described, or acts for it (`for_product_of`). Amounts are cents a message.
    """

    payer: str
    product_of: str = ""
    kind: Literal["cash", "in_kind"] = "cash"
    amount: int = 0
    cost: int = 0
    on_behalf: bool = False

    def makes_marketing(self, rule: PurposeRule, *, of_any_kind: bool = False) -> bool:
        """Say whether the payment takes the message out of its exemption (164.501 (2), (3))."""
        if self.kind == "in_kind" and not of_any_kind:
            return False
        if not (self.on_behalf or _same(self.payer, self.product_of)):
            return False
        return not (rule.paid_up_to_cost and self.amount <= self.cost)

    def stored(self) -> dict[str, Any]:
        return {
            "payer": self.payer,
            "product_of": self.product_of,
            "kind": self.kind,
            "amount": self.amount,
            "cost": self.cost,
            "on_behalf": self.on_behalf,
        }

    @classmethod
    def read(cls, stored: Mapping[str, Any] | None) -> Remuneration | None:
        """Return what `stored` gave; None where nobody pays."""
        return cls(**stored) if stored and stored.get("payer") else None


def _same(payer: str, product_of: str) -> bool:
    return payer.strip().casefold() == product_of.strip().casefold()
