"""Reading files a piece at a time."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from marketing.intake import reading
from marketing.intake.reading import FileBroken, entries, entries_in
from tests.intake.builders import bundle, condition, patient, written


def places(text: str | bytes) -> list[str]:
    raw = text.encode() if isinstance(text, str) else text
    return [entry.place for entry in entries_in(io.BytesIO(raw), name="f")]


def refusal(text: str | bytes) -> str:
    with pytest.raises(FileBroken) as broken:
        places(text)
    return str(broken.value)


def test_a_bundle_over_many_lines_is_read_entry_by_entry() -> None:
    text = json.dumps(bundle(patient(), condition()), indent=1)
    assert places(text) == ["f, line 1, entry 1", "f, line 1, entry 2"]


def test_ndjson_of_bundles_and_of_resources_may_be_mixed() -> None:
    lines = [bundle(patient("1")), patient("2"), bundle(patient("3"))]
    text = "\n".join(json.dumps(line) for line in lines)
    assert places(text) == ["f, line 1, entry 1", "f, line 2", "f, line 3, entry 1"]


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bytes])
def test_a_packed_file_is_known_by_what_it_is(pack: object, tmp_path: Path) -> None:
    path = tmp_path / "no-ending"
    path.write_bytes(pack(json.dumps(patient()).encode()))  # type: ignore[operator]
    assert len(list(entries(path))) == 1


def test_any_number_of_blanks_is_skipped_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packed, a gigabyte of them takes a megabyte: a step for each would hold a worker for long."""
    moves: list[int] = []
    monkeypatch.setattr(reading._Scanner, "move", counted(reading._Scanner.move, moves))
    assert refusal(gzip.compress(b" " * 1_000_000)) == "f: the file is empty"
    assert len(moves) < 20


def counted(move: Callable[..., None], moves: list[int]) -> Callable[..., None]:
    def counts(scanner: object, to: int) -> None:
        moves.append(to)
        move(scanner, to)

    return counts


def test_a_byte_order_mark_is_no_fault() -> None:
    assert places(b"\xef\xbb\xbf" + json.dumps(patient()).encode()) == ["f, line 1"]


def test_a_truncated_bundle_names_the_last_whole_entry() -> None:
    text = json.dumps(bundle(patient(), condition()), indent=1)
    where = text.index('"Condition"')
    assert "behind entry 1: the file ends in the middle of it" in refusal(text[:where])


def test_a_truncated_line_is_named() -> None:
    lines = [json.dumps(patient(str(n))) for n in range(3)]
    lines[1] = lines[1][:50]
    assert refusal("\n".join(lines)).startswith("f, line 2")


def test_a_damaged_archive_is_refused() -> None:
    packed = gzip.compress(json.dumps(bundle(*[patient()] * 50)).encode())
    assert "damaged or was cut off" in refusal(packed[:-12])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("[]", "JSON list"),
        ("[" * 100_000, "JSON list"),
        ('{"resourceType":"Bundle","entry":{}}', "entry must be a list"),
        ('{"resourceType":"Bundle","entry":[1]}', "entry 1: an entry must be an object"),
        (b"\xff\xfe{}", "not UTF-8"),
        ('{"resourceType":"Patient"} nonsense', "behind the object's end"),
    ],
)
def test_what_is_no_fhir_is_refused_in_words(text: str | bytes, words: str) -> None:
    assert words in refusal(text)


def test_a_refusal_never_repeats_what_it_read() -> None:
    assert "Lovelace" not in refusal('{"resourceType":"Patient","name":"Lovelace" "x"}')


def test_one_large_bundle_takes_little_memory(tmp_path: Path) -> None:
    path = written(tmp_path / "large.json", bundle(*[patient()] * 40_000))
    size = path.stat().st_size
    tracemalloc.start()
    count = sum(1 for _ in entries(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 40_000
    assert peak < size / 2
