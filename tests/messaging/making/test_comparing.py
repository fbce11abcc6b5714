from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from messaging.making import comparing
from messaging.making.comparing import CHANGED, GONE, NEW, SAME, Piece

LINES = st.lists(st.text(alphabet="ab c", max_size=8), max_size=8).map("\n".join)


def test_a_changed_word_is_named() -> None:
    assert comparing.words("Come on Monday", "Come on Friday") == (
        Piece(SAME, "Come on "),
        Piece(GONE, "Monday"),
        Piece(NEW, "Friday"),
    )


def test_a_changed_line_stands_beside_itself() -> None:
    (row,) = comparing.part("x", "Come on Monday", "Come on Friday").rows
    assert (row.kind, row.old_number, row.new_number) == (CHANGED, 1, 1)


def test_a_new_line_has_no_other_side() -> None:
    rows = comparing.part("x", "a", "a\nb").rows
    assert [(row.kind, row.old_number, row.new_number) for row in rows] == [
        (SAME, 1, 1),
        (NEW, None, 2),
    ]


def test_the_same_text_does_not_differ() -> None:
    assert not comparing.part("x", "a\nb", "a\nb").differs


def test_what_is_far_from_a_change_is_left_out() -> None:
    old = "\n".join(map(str, range(100)))
    assert len(comparing.part("x", old, old + "\nend").rows) == comparing.AROUND + 1


@given(LINES, LINES)
def test_both_texts_can_be_read_back_from_the_words(old: str, new: str) -> None:
    pieces = comparing.words(old, new)
    assert "".join(each.text for each in pieces if each.kind != NEW) == old
    assert "".join(each.text for each in pieces if each.kind != GONE) == new
