"""Wake-ups: after the commit, beside the request, and not worth waiting for."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from contacts.segments.live import wake

pytestmark = pytest.mark.django_db
PATIENCE = 5.0


@pytest.fixture(autouse=True)
def quiet_before_and_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(wake, "_bell", wake._Bell())
    yield
    wake.register(None)


def test_followers_are_woken_once_the_change_is_committed(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    rung = threading.Event()
    wake.register(rung.set)
    with django_capture_on_commit_callbacks(execute=True):
        wake.soon()
        assert not rung.is_set()
    assert rung.wait(PATIENCE)


def test_nobody_waits_for_a_broker_that_does_not_answer(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    answers = threading.Event()

    def hang() -> None:
        answers.wait(PATIENCE)

    wake.register(hang)
    before, threads = time.monotonic(), threading.active_count()
    for _ in range(3):
        with django_capture_on_commit_callbacks(execute=True):
            wake.soon()
        time.sleep(wake.AT_MOST_EVERY * 1.5)
    assert time.monotonic() - before < PATIENCE
    assert threading.active_count() == threads + 1
    answers.set()


def test_after_a_failure_the_bell_rests(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    failed, tries = threading.Event(), []

    def fail() -> None:
        tries.append(1)
        failed.set()
        raise ConnectionError

    wake.register(fail)
    for _ in range(3):
        with django_capture_on_commit_callbacks(execute=True):
            wake.soon()
        assert failed.wait(PATIENCE)
        time.sleep(wake.AT_MOST_EVERY * 1.5)
    assert len(tries) == 1
