"""Tell by its bytes in which encoding a file of text was written. Pure but for reading the file.

What is certain is found: a mark, UTF-16 by its zero bytes, UTF-8 by decoding the whole. Of what is
left, Chinese and Japanese show by how their bytes go in pairs; the rest is taken for what Excel
writes on a Western machine, unless letters then stand where no language has them. A name that came
in as another name would never be noticed, so what cannot be told is asked.
"""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO

SAMPLE = 64 * 1024
CHUNK = 1 << 20
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""In this order: the mark of UTF-16 LE begins that of UTF-32 LE."""
_HIGH = re.compile(rb"[\x80-\xff]+")
_JAPANESE = re.compile(rb"[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]|[\xa1-\xdf]")
_ODD = re.compile(rb"[a-z][\x8a\x8c\x8e\x9f]|[A-Za-z][\x82-\x84\x86-\x89\x8b\x98\x99\x9b][A-Za-z]")
"""As Windows-1252: a capital letter in the midst of a word, or a sign such as a dagger."""
_LAST_KOREAN = 0xC8
"""No syllable of EUC-KR, which goes in pairs too, begins above it."""
_MOSTLY = 4
"""So many times as much must speak for an encoding as against it."""


class EncodingUnclear(ValueError):
    """The bytes are those of a Mac, of DOS or of another script; of which, they do not say."""


def of(file: BinaryIO, start: bytes) -> str:
    """Return the encoding of a file that begins so. Raises EncodingUnclear."""
    marked = next((name for bom, name in _BOMS if start.startswith(bom)), "")
    return marked or _wide(start) or _by_decoding(file)


def _wide(start: bytes) -> str:
    """UTF-16 without a mark: delimiters, digits and the ends of lines have every other byte zero.

    A zero byte in a damaged file is no such thing: its header has none.
    """
    even, odd = start[0::2].count(0), start[1::2].count(0)
    for name, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros > 20 * others and _reads_as(name, start, zeros):
            return name
    return ""


def _reads_as(name: str, start: bytes, zeros: int) -> bool:
    text = start[: len(start) // 2 * 2].decode(name, "replace")
    first = next(iter(text.splitlines()), "")
    if zeros * 20 < len(text) or "\ufffd" in text[:-1] or len(first) == len(text):
        return False
    return any(map(str.isascii, first))


def _by_decoding(file: BinaryIO) -> str:
    """UTF-8 if the whole file is; or all but a few bytes, and then reading says where they are."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    chunk = b""
    try:
        while chunk := file.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        file.seek(0)
        return _not_utf8(file.read(CHUNK) + chunk)
    return "utf-8-sig"


def _not_utf8(sample: bytes) -> str:
    text = sample.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if len(text) - len(text.encode("ascii", "ignore")) > (1 + _MOSTLY) * broken:
        return "utf-8-sig"
    if _is_chinese(sample):
        return "gb18030"
    if _is_japanese(sample):
        return "shift-jis"
    if _ODD.search(sample) or _is_another_script(sample):
        raise EncodingUnclear(EncodingUnclear.__doc__)
    return "cp1252"


def _is_another_script(sample: bytes) -> bool:
    """Cyrillic, Greek, Korean: whole words of high bytes, which are single ones in the West."""
    runs = _HIGH.findall(sample)
    return 2 * sum(len(run) for run in runs if len(run) > 2) > len(b"".join(runs))


def _is_chinese(sample: bytes) -> bool:
    """GB 2312, which GB 18030 contains: high bytes go in pairs, and begin as its signs do.

    Korean does so too, but begins none so high; Cyrillic words may be even, but have no bytes so
    low.
    """
    runs = _HIGH.findall(sample)
    pairs = [run for run in runs if len(run) % 2 == 0 and all(0xA1 <= b <= 0xF7 for b in run[::2])]
    signs = b"".join(pairs)
    if max(signs[::2], default=0) <= _LAST_KOREAN or sum(b < 0xC0 for b in signs) * 10 < len(signs):
        return False
    return len(pairs) > _MOSTLY * (len(runs) - len(pairs))


def _is_japanese(sample: bytes) -> bool:
    """Most signs begin with a byte that is seldom a letter in the West, and all of it decodes."""
    signs = _JAPANESE.findall(sample)
    lead = sum(len(one) == 2 and one[0] < 0xA0 for one in signs)
    if not lead or lead < len(signs) - lead:
        return False
    try:
        text = sample[: sample.rfind(b"\n") + 1 or None].decode("shift-jis")
    except UnicodeDecodeError:
        return False
    signs_of_its_own = sum("\u3040" <= one <= "\u9fff" for one in text)
    return signs_of_its_own > 1
