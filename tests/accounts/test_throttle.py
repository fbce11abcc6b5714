from __future__ import annotations

from datetime import timedelta

import pytest

from accounts import throttle
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
MARA = {throttle.ACCOUNT: "mara@harbor.example"}


def fail(times: int) -> None:
    for _ in range(times):
        throttle.failed(MARA, now=NOON)


def test_the_first_failures_cost_nothing() -> None:
    fail(throttle.ACCOUNT.free - 1)
    assert throttle.wait(MARA, now=NOON) == timedelta()


def test_each_further_failure_doubles_the_wait() -> None:
    fail(throttle.ACCOUNT.free + 3)
    assert throttle.wait(MARA, now=NOON) == timedelta(seconds=8)


def test_a_hundred_guesses_close_the_account_for_a_quarter_of_an_hour() -> None:
    """SE-07"""
    fail(100)
    assert throttle.wait(MARA, now=NOON) == throttle.LONGEST_WAIT


def test_another_account_is_not_slowed() -> None:
    fail(100)
    assert throttle.wait({throttle.ACCOUNT: "omar@harbor.example"}, now=NOON) == timedelta()


def test_an_hour_without_a_failure_forgets() -> None:
    fail(100)
    later = NOON + throttle.FORGOTTEN_AFTER + timedelta(seconds=1)
    throttle.failed(MARA, now=later)
    assert throttle.wait(MARA, now=later) == timedelta()


def test_success_forgets_at_once() -> None:
    fail(100)
    throttle.succeeded(MARA)
    assert throttle.wait(MARA, now=NOON) == timedelta()
