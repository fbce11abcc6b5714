"""A figure says what was done, how long it took and against which limit."""

from __future__ import annotations

import json

from benchmarks.measure import Row, interleave, peak_memory


def test_a_rate_s_ratio_is_its_share_of_the_limit_s_rate() -> None:
    row = json.loads(Row("import", n=1000, seconds=2.0, limit=1000.0).line())
    assert row == {
        "name": "import",
        "n": 1000,
        "seconds": 2.0,
        "rate": 500.0,
        "limit": 1000.0,
        "ratio": 0.5,
        "peak_mb": 0.0,
    }


def test_a_time_s_ratio_is_how_many_times_the_limit_s_time_it_took() -> None:
    assert Row("equality", n=10, seconds=0.3, limit=0.2, kind="time").ratio == 0.3 / 0.2


def test_work_and_limit_take_turns() -> None:
    turns: list[str] = []
    interleave(lambda: turns.append("work"), lambda: turns.append("limit"), rounds=2, warm_up=0)
    assert turns == ["limit", "work", "limit", "work"]


def test_memory_that_was_used_and_freed_is_seen() -> None:
    with peak_memory() as peak:
        block = bytearray(b"x") * (64 * 2**20)
        del block
    assert peak.grown_mb > 40
