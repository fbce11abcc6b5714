"""Read FHIR files of any size a piece at a time: one JSON bundle, NDJSON, plain, .gz or .xz.

A file is a sequence of JSON objects. A bundle's entries are read one by one, so that neither a
single bundle of a gigabyte nor a million lines need more memory than one entry. Errors name the
file, the line and the entry.
"""

from __future__ import annotations

import codecs
import gzip
import json
import lzma
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from marketing.intake.fhir import Entry

MAX_UNPACKED = 16 * 1024**3
"""A file that unpacks to more is refused: a bomb, or several files that should come apart."""
MAX_OBJECT = 64 * 1024**2
"""The longest single resource, in characters."""
CHUNK = 1 << 18

_DECODER = json.JSONDecoder()
_LISTED = "this is a JSON list; put its resources in a Bundle, or write one a line (NDJSON)"
_BLANK = " \t\r\n"
_BLANKS = re.compile(f"[{_BLANK}]*")
"""Skipped at once: packed, a gigabyte of blanks takes a megabyte, and one by one half an hour."""


class FileBroken(ValueError):
    """A file cannot be read. The message names the place and says what to do; it holds no value."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


def entries(path: Path, *, name: str = "") -> Iterator[Entry]:
    """Yield every resource of the file with its place."""
    with path.open("rb") as raw:
        yield from entries_in(raw, name=name or path.name)


def entries_in(raw: IO[bytes], *, name: str) -> Iterator[Entry]:
    """Yield every resource of an open file; places begin with its name, if it has one here."""
    raw.seek(0)
    scanner = _Scanner(_unpacked(raw), name)
    count = 0
    while scanner.more():
        count += 1
        yield from scanner.top_level()
    if not count:
        raise FileBroken(name or "the file", "the file is empty")


def _unpacked(raw: IO[bytes]) -> IO[bytes]:
    """Return the stream unpacked, by what the file is and not by what it is called."""
    start = raw.read(6)
    raw.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
    if start == b"\xfd7zXZ\x00":
        return lzma.LZMAFile(raw)
    return raw


class _Incomplete(Exception):
    """The buffer ends in the middle of a value."""


class _Scanner:
    """A window on the text that moves forward, and a place for messages."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self.stream, self.called = stream, f"{name}, " if name else ""
        self.decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self.text, self.at, self.line = "", 0, 1
        self.done = False
        self.unpacked = 0
        self.entry = self.bundle = 0

    def top_level(self) -> Iterator[Entry]:
        """Yield the resources of the next object: a bundle's entries, or the object itself."""
        self.entry, self.bundle, start_line = 0, self.bundle + 1, self.line
        whole = self._whole_line()
        if whole is None:
            yield from self._bundle()
            return
        if isinstance(whole, list):
            raise self.broken(_LISTED)
        if not isinstance(whole, dict):
            raise self.broken("expected a FHIR resource: a JSON object")
        if whole.get("resourceType") != "Bundle":
            yield Entry(f"{self.called}line {start_line}", "", whole, self.bundle)
            return
        for entry in _entry_list(whole, self):
            yield self._entry(entry, start_line)

    def _whole_line(self) -> Any:
        """Return the object that fills the rest of this line, if it does and is not too long."""
        while (end := self.text.find("\n", self.at)) < 0 and not self.done:
            if len(self.text) - self.at > 4 * CHUNK:
                return None
            self.fill()
        end = len(self.text) if end < 0 else end
        try:
            value, stop = _DECODER.raw_decode(self.text, self.at)
        except (ValueError, RecursionError):
            return None
        if self.text[stop:end].strip(_BLANK):
            raise self.broken("there is something behind the object's end")
        self.move(stop)
        return value

    def _bundle(self) -> Iterator[Entry]:
        """Read an object key by key; yield the entries of a bundle as they come."""
        start_line, rest = self.line, {}
        if self.peek() == "[":
            raise self.broken(_LISTED)
        self.expect("{", "expected a FHIR resource: a JSON object")
        first = True
        while self.peek() != "}":
            if not first:
                self.expect(",", "expected a comma or the object's end")
            first = False
            key = self.value()
            self.expect(":", "expected a colon behind a name")
            if key == "entry" and self.peek() == "[":
                yield from self._stream_entries(start_line)
            else:
                rest[key] = self.value()
        self.expect("}", "expected the object's end")
        if rest.get("resourceType") != "Bundle":
            if self.entry:
                raise self.broken("only a Bundle has entries")
            yield Entry(f"{self.called}line {start_line}", "", rest, self.bundle)

    def _stream_entries(self, start_line: int) -> Iterator[Entry]:
        self.expect("[", "expected a list of entries")
        first = True
        while self.peek() != "]":
            if not first:
                self.expect(",", "expected a comma or the end of the entries")
            first = False
            yield self._entry(self.value(), start_line)
        self.expect("]", "expected the end of the entries")
        self.entry = self.entry or -1

    def _entry(self, entry: Any, line: int) -> Entry:
        self.entry += 1
        place = f"{self.called}line {line}, entry {self.entry}"
        if not isinstance(entry, dict):
            raise FileBroken(place, "an entry must be an object")
        url = entry.get("fullUrl", "")
        full_url = url if isinstance(url, str) else ""
        return Entry(place, full_url, entry.get("resource"), self.bundle)

    def value(self) -> Any:
        """Return the JSON value that begins here, reading on until it is whole."""
        self.peek()
        while True:
            try:
                return self._decode()
            except _Incomplete:
                if len(self.text) - self.at > MAX_OBJECT:
                    raise self.broken("a single resource is larger than 64 MB") from None
                self.fill(double=True)
            except RecursionError:
                raise self.broken("the JSON is nested too deeply") from None

    def _decode(self) -> Any:
        try:
            value, stop = _DECODER.raw_decode(self.text, self.at)
        except ValueError as broken:
            if not self.done:
                raise _Incomplete from None
            position = getattr(broken, "pos", len(self.text))
            raise self.cut_or_wrong(position) from None
        if stop == len(self.text) and not self.done:
            raise _Incomplete
        self.move(stop)
        return value

    def cut_or_wrong(self, position: int) -> FileBroken:
        """Tell a file that ends too early from one that is wrong in its middle."""
        rest = len(self.text) - position
        line = self.line + self.text.count("\n", self.at, position)
        if rest <= 1 or '"' not in self.text[position + 1 :]:
            return self.broken("the file ends in the middle of it; was it cut off?", line=line)
        return self.broken("this is not valid JSON", line=line)

    def more(self) -> bool:
        """Skip blanks; return whether anything is left."""
        while True:
            self.move(_BLANKS.match(self.text, self.at).end())  # type: ignore[union-attr]
            if self.at < len(self.text):
                return True
            if self.done:
                return False
            self.fill()

    def peek(self) -> str:
        """Return the next character that is not blank."""
        if not self.more():
            raise self.broken("the file ends in the middle of it; was it cut off?")
        return self.text[self.at]

    def expect(self, character: str, otherwise: str) -> None:
        if self.peek() != character:
            raise self.broken(otherwise)
        self.move(self.at + 1)

    def move(self, to: int) -> None:
        self.line += self.text.count("\n", self.at, to)
        self.at = to

    def fill(self, *, double: bool = False) -> None:
        """Read on, and forget what has been read."""
        size = max(CHUNK, len(self.text) - self.at) if double else CHUNK
        try:
            chunk = self.stream.read(size)
        except (EOFError, OSError, zlib.error, lzma.LZMAError):
            raise self.broken("the packed file is damaged or was cut off") from None
        self.unpacked += len(chunk)
        if self.unpacked > MAX_UNPACKED:
            raise self.broken("the file unpacks to more than 16 GB; split it")
        self.done = not chunk
        try:
            new = self.decode(chunk, self.done)
        except UnicodeDecodeError:
            raise self.broken("the file is not UTF-8") from None
        self.text, self.at = self.text[self.at :] + new, 0

    def broken(self, reason: str, *, line: int | None = None) -> FileBroken:
        place = f"{self.called}line {line or self.line}"
        if self.entry > 0:
            place += f", behind entry {self.entry}"
        return FileBroken(place, reason)


def _entry_list(bundle: dict[str, Any], scanner: _Scanner) -> list[Any]:
    listed = bundle.get("entry", [])
    if not isinstance(listed, list):
        raise scanner.broken("entry must be a list")
    return listed
