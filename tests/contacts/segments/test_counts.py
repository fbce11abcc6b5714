"""What is said of counts to roles that may not see why somebody is in (PR-40, SE-32)."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.segments import counts

UNHURRIED = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


def test_small_counts_are_not_said() -> None:
    assert [counts.said(n, exact=False) for n in (0, 10, 11, 129)] == [
        "<11",
        "<11",
        "about 10",
        "about 120",
    ]


def test_a_step_that_loses_few_is_shown_as_losing_nobody() -> None:
    assert counts.held([200, 196, 150, 145, 139], exact=False, start=203) == [
        203,
        203,
        150,
        150,
        139,
    ]


@UNHURRIED
@given(st.lists(st.integers(0, 500), min_size=2, max_size=9))
def test_no_two_neighbours_shown_differ_by_a_small_cell(row: list[int]) -> None:
    shown = counts.held(row, exact=False)
    gaps = [abs(a - b) for a, b in pairwise(shown)]
    assert all(gap == 0 or gap >= counts.SMALLEST for gap in gaps)


@UNHURRIED
@given(st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 60), min_size=2))
def test_never_is_one_cell_alone_held_back(cells: dict[str, int]) -> None:
    hidden = [name for name, n in counts.parts(cells, exact=False).items() if n is None]
    assert len(hidden) != 1


@UNHURRIED
@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_a_small_part_of_an_overlap_is_not_worked_out_from_the_rest(
    only_first: int, only_second: int, both: int
) -> None:
    shown = counts.overlap(only_first + both, only_second + both, both, exact=False)
    if only_first < counts.SMALLEST or both < counts.SMALLEST:
        assert (shown.both, shown.only_first) == (None, None)


def test_those_who_may_see_it_see_everything() -> None:
    assert counts.overlap(12, 9, 4, exact=True) == counts.Overlap(12, 9, 4, 8, 5)
