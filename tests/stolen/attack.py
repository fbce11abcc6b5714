"""What a thief learns of people from a database whose keys are elsewhere. Pure but for `dump`.

The thief has every row of every table, knows the program, and knows how the values are spread in
the population (SE-31). Two attacks, on each thing that can be seen of a contact:

rank     sort what is seen and the values by how frequent they are, and match rank to rank
learned  load a public sample into an Attune of one's own, where the values are known, and learn
         what is seen most often beside each value; stronger, and it needs no equal frequencies

What can be seen: plain values, the length of each sealed one, whether two are equal, and how many
rows of each table (and kind) are about the contact. `advantage` is the share named correctly above
that of a thief without the dump, who names the commonest value for everybody.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import connections

Seen = Mapping[int, Hashable]
"""Something seen of each contact."""


class Guess(NamedTuple):
    right: float
    without: float
    """The share named correctly by who names the commonest value for everybody."""

    @property
    def advantage(self) -> float:
        return self.right - self.without


def rank(seen: Seen, truth: Mapping[int, str]) -> Guess:
    """Match the most frequent thing seen with the most frequent value, and so on."""
    values = [value for value, _ in Counter(truth.values()).most_common()]
    marks = [mark for mark, _ in Counter(seen[one] for one in truth).most_common()]
    named = dict(zip(marks, values, strict=False))
    return _judged({one: named.get(seen[one], values[0]) for one in truth}, truth)


def learned(seen: Seen, truth: Mapping[int, str]) -> Guess:
    """Learn from one half, of whom the thief knows the values; name those of the other half."""
    people = sorted(truth)
    known, asked = people[::2], people[1::2]
    commonest = Counter(truth[one] for one in known).most_common(1)[0][0]
    beside: dict[Hashable, Counter[str]] = defaultdict(Counter)
    for one in known:
        beside[seen[one]][truth[one]] += 1
    named = {
        one: beside[seen[one]].most_common(1)[0][0] if seen[one] in beside else commonest
        for one in asked
    }
    return _judged(named, {one: truth[one] for one in asked})


def _judged(named: Mapping[int, str], truth: Mapping[int, str]) -> Guess:
    right = sum(named[one] == value for one, value in truth.items())
    commonest = Counter(truth.values()).most_common(1)[0][1]
    return Guess(right / len(truth), commonest / len(truth))


def dump(people: Sequence[int]) -> dict[str, Seen]:
    """Everything that the tables show of these contacts, by table and column."""
    seen: dict[str, Seen] = {}
    with connections["owner"].cursor() as cursor:
        for table, column in _tables_of_contacts(cursor):
            seen |= _seen_in(cursor, table, column, people)
    lengths = sorted(name for name in seen if name.endswith(" length"))
    seen["all lengths together"] = {
        one: tuple(seen[name].get(one) for name in lengths) for one in people
    }
    return seen


def _tables_of_contacts(cursor: Any) -> list[tuple[str, str]]:
    cursor.execute(
        "SELECT table_name, column_name FROM information_schema.columns c"
        " JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND data_type = 'bigint'"
        " AND (column_name IN ('contact_id', 'subject_id')"
        "      OR (table_name = 'contacts_contact' AND column_name = 'id'))"
    )
    return list(cursor.fetchall())


def _seen_in(cursor: Any, table: str, key: str, people: Sequence[int]) -> dict[str, Seen]:
    cursor.execute(f'SELECT * FROM "{table}" WHERE "{key}" = ANY(%s)', [list(people)])
    columns = [one.name for one in cursor.description]
    rows: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in cursor.fetchall():
        named = dict(zip(columns, row, strict=True))
        rows[named[key]].append(named)
    if not rows:
        return {}
    seen: dict[str, Seen] = {
        f"{table} rows": {one: len(rows[one]) for one in people},
    }
    for column in columns:
        values = {one: [row[column] for row in rows[one]] for one in people}
        seen[f"{table}.{column}"] = {
            one: tuple(sorted(map(_mark, found))) for one, found in values.items()
        }
        if any(
            isinstance(value, memoryview | bytes) for found in values.values() for value in found
        ):
            seen[f"{table}.{column} length"] = {
                one: tuple(sorted(-1 if v is None else len(v) for v in found))
                for one, found in values.items()
            }
    return seen


def _mark(value: Any) -> str:
    return bytes(value).hex() if isinstance(value, memoryview | bytes) else str(value)
