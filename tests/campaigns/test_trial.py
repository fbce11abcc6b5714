"""Groups, differences and winners."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.campaigns import trial
from marketing.campaigns.trial import Group, Plan
from workflows import comparing

HOLD, TRIAL = b"campaign", b"run"


def drawn(plan: Plan, people: int = 20_000) -> Counter[str]:
    return Counter(plan.group_of(one, hold_key=HOLD, trial_key=TRIAL) for one in range(people))


def test_shares_are_kept_within_chance() -> None:
    found = drawn(Plan(["A", "B"], hold_out=10, trial_share=20))
    assert found["hold"] == pytest.approx(2_000, rel=0.1)
    assert found["A"] == pytest.approx(1_800, rel=0.1)
    assert found["rest"] == pytest.approx(14_400, rel=0.03)


def test_without_a_trial_everybody_gets_a_variant() -> None:
    assert set(drawn(Plan(["A", "B", "C"]))) == {"A", "B", "C"}


@given(st.integers(0, 1 << 60), st.integers(0, 90), st.integers(1, 100))
def test_who_is_held_out_stays_held_out_whatever_the_run(
    number: int, hold_out: int, trial_share: int
) -> None:
    plan = Plan(["A", "B"], hold_out, trial_share)
    once = plan.group_of(number, hold_key=HOLD, trial_key=b"one")
    again = plan.group_of(number, hold_key=HOLD, trial_key=b"two")
    assert (once == "hold") == (again == "hold")


def test_a_clear_winner_is_named() -> None:
    assert trial.decide([Group("A", 1_000, 100), Group("B", 1_000, 160)]).winner == "B"


def test_chance_names_nobody() -> None:
    verdict = trial.decide([Group("A", 100, 10), Group("B", 100, 13)])
    assert (verdict.winner, "no winner" in verdict.why) == ("", True)


def test_a_difference_that_chance_hardly_makes_is_said_so() -> None:
    verdict = trial.decide([Group("A", 5_000, 100), Group("B", 5_000, 900)])
    assert verdict.why == (
        "B did best; chance alone makes such a difference less than once in 1,000 trials."
    )


def test_a_difference_that_chance_makes_now_and_then_is_told_as_often_as_it_does() -> None:
    """p is 0.0363."""
    verdict = trial.decide([Group("A", 1_000, 100), Group("B", 1_000, 130)])
    assert verdict.why.endswith("about once in 28 trials.")


def test_of_few_people_the_chance_is_counted_out() -> None:
    """Fisher's tea: 3 of 4 against 1 of 4 is p = 0.486; 4 of 4 against none 1 in 35."""
    assert trial.decide([Group("A", 4, 3), Group("B", 4, 1)]).winner == ""
    verdict = trial.decide([Group("A", 4, 4), Group("B", 4, 0)])
    assert (verdict.winner, verdict.why[-25:]) == ("A", "about once in 35 trials.".rjust(25))


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_the_counted_chance_is_a_chance_and_the_same_from_both_sides(
    one: int, other: int, data: st.DataObject
) -> None:
    did = data.draw(st.tuples(st.integers(0, one), st.integers(0, other)))
    here, there = Group("A", one, did[0]), Group("B", other, did[1])
    found = comparing._exact(here, there)
    assert 0 < found <= 1
    assert found == pytest.approx(comparing._exact(there, here))


def test_several_variants_must_differ_by_more() -> None:
    """p is 0.037 for these two: enough for one comparison, not for each of three."""
    two = [Group("A", 1_000, 100), Group("B", 1_000, 130)]
    more = [*two, Group("C", 1_000, 100), Group("D", 1_000, 100)]
    assert (trial.decide(two).winner, trial.decide(more).winner) == ("B", "")


def test_an_empty_group_compares_with_nothing() -> None:
    assert trial.decide([Group("A", 100, 50), Group("B", 0, 0)]).winner == ""


def test_newcombes_own_example() -> None:
    """Statistics in Medicine 1998;17:873, table II, row (a): 56/70 against 48/80."""
    found = trial.difference(Group("a", 70, 56), Group("b", 80, 48))
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


def test_what_is_needed_shows_just_that_difference() -> None:
    size = trial.needed(0.03, share=0.2)
    assert trial.smallest_difference(size, share=0.2) == pytest.approx(0.03, rel=0.01)


@given(st.integers(1, 5_000), st.data())
def test_an_interval_holds_the_share_it_is_of(size: int, data: st.DataObject) -> None:
    group = Group("A", size, data.draw(st.integers(0, size)))
    found = trial.wilson(group)
    assert found.low <= group.share + 1e-9
    assert group.share - 1e-9 <= found.high
