"""Tell by its bytes in which encoding a file of text was written. Pure but for reading the file.

What is certain is found: a mark, UTF-16 by its zero bytes, UTF-8 by decoding the whole. Of what is
left, Chinese and Japanese show by how their bytes go in pairs; the rest is Western or Central
European, whichever alone makes sense of the words (`contacts.importing.letters`). A name that came
in as another name would never be noticed, so what cannot be told is asked.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from typing import BinaryIO

from contacts.importing import letters

SAMPLE = 64 * 1024
CHUNK = 1 << 20
MOST_WORDS = 20_000
ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16, little-endian, without a mark",
    "utf-16-be": "UTF-16, big-endian, without a mark",
    "utf-32": "UTF-32",
    "cp1252": "Windows, Western Europe (1252)",
    "cp1250": "Windows, Central Europe (1250)",
    "cp1251": "Windows, Cyrillic (1251)",
    "cp1253": "Windows, Greek (1253)",
    "cp1254": "Windows, Turkish (1254)",
    "cp1257": "Windows, Baltic (1257)",
    "iso-8859-2": "Latin 2, Central Europe (ISO 8859-2)",
    "iso-8859-15": "Latin 9, Western Europe (ISO 8859-15)",
    "mac-roman": "Mac Roman",
    "mac-latin2": "Mac, Central Europe",
    "cp850": "DOS, Western Europe (850)",
    "cp437": "DOS, United States (437)",
    "cp852": "DOS, Central Europe (852)",
    "cp865": "DOS, Nordic (865)",
    "cp866": "DOS, Cyrillic (866)",
    "koi8-r": "Cyrillic (KOI8-R)",
    "cp932": "Japanese (Shift JIS)",
    "euc-jp": "Japanese (EUC)",
    "iso2022-jp": "Japanese (ISO 2022)",
    "gb18030": "Chinese, simplified (GB 18030)",
    "big5": "Chinese, traditional (Big5)",
    "cp949": "Korean (EUC-KR, 949)",
}
"""By which names a person may choose; what is found by looking is among them."""
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""In this order: the mark of UTF-16 LE begins that of UTF-32 LE."""
_WORD = re.compile(rb"[A-Za-z\x80-\xff'-]*[\x80-\xff][A-Za-z\x80-\xff'-]*")
_HIGH = re.compile(rb"[\x80-\xff]+")
_JAPANESE = re.compile(rb"[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]|[\xa1-\xdf]")
_LONELY = re.compile("[A-Za-z][\u3040-\uffef]|[\u3040-\uffef][A-Za-z]")
"""A Japanese sign beside a Latin letter: two letters of the West, taken for one sign."""
_ESCAPES = (b"\x1b$B", b"\x1b$@")
_CHINESE = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏"
    "薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎"
    "易常武乔贺赖龚文姓名电话地址出生日期性别男女编号手机病人患者省市区县路街北京上海广东中国"
)
"""Surnames and words of headers, of which a Chinese file of people has many."""
_MOSTLY = 4
"""So many times as much must speak for an encoding as against it."""
_NEVER, _OFTEN = 20, 4
"""At most one word in twenty is odd in the right reading, at least one in four in a wrong one."""
_OTHERS = ("cp1254", "cp1257")
_ASKED = tuple(name for name in ENCODINGS if not name.startswith("utf"))


class EncodingUnclear(ValueError):
    """The bytes may be read in several ways, or are those of a Mac, of DOS or of another script."""


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
    chunk, escaped = b"", False
    try:
        while chunk := file.read(CHUNK):
            escaped = escaped or any(escape in chunk for escape in _ESCAPES)
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        file.seek(0)
        return _not_utf8(file.read(CHUNK) + chunk, file)
    return "iso2022-jp" if escaped else "utf-8-sig"


def _not_utf8(sample: bytes, file: BinaryIO) -> str:
    text = sample.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if len(text) - len(text.encode("ascii", "ignore")) > (1 + _MOSTLY) * broken:
        return "utf-8-sig"
    if _is_chinese(sample):
        return "gb18030"
    if _is_japanese(sample):
        return "cp932"
    if _is_another_script(sample):
        raise EncodingUnclear(EncodingUnclear.__doc__)
    return _european(words(file))


def words(file: BinaryIO) -> list[bytes]:
    """Return the words with other letters than ASCII has, each once, from the whole file."""
    file.seek(0)
    found: set[bytes] = set()
    rest = b""
    while (chunk := file.read(CHUNK)) and len(found) < MOST_WORDS:
        cut = max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) + 1 or len(chunk)
        found.update(_WORD.findall(rest + chunk[:cut]))
        rest = chunk[cut:]
    found.update(_WORD.findall(rest))
    return sorted(found)


def _european(found: Sequence[bytes]) -> str:
    """Return the one encoding in which the words make sense."""
    west, central = _odd(found, "cp1252"), _odd(found, "cp1250")
    has_letters = any(byte >= 0xC0 for word in found for byte in word)
    if not has_letters and letters.are_broken(_read(found, "cp1252")):
        raise EncodingUnclear(EncodingUnclear.__doc__)
    if not west and (central or _read(found, "cp1252") == _read(found, "cp1250")):
        return "cp1252"
    if west and not central:
        return _windows_or_iso(found)
    if west and central:
        return _mostly(found, west, central)
    raise EncodingUnclear(EncodingUnclear.__doc__)


def _windows_or_iso(found: Sequence[bytes]) -> str:
    """Two encodings of Central Europe differ in some letters only."""
    if _read(found, "cp1250") != _read(found, "iso-8859-2") and not _odd(found, "iso-8859-2"):
        raise EncodingUnclear(EncodingUnclear.__doc__)
    return "cp1250"


def _mostly(found: Sequence[bytes], west: int, central: int) -> str:
    """Return the reading that makes sense where the usual two do not, or do so but seldom."""
    sound = [name for name in ("iso-8859-2", *_OTHERS) if not _odd(found, name)]
    if len(sound) == 1:
        return sound[0]
    if west * _NEVER <= len(found) <= central * _OFTEN:
        return "cp1252"
    if central * _NEVER <= len(found) <= west * _OFTEN:
        return "cp1250"
    raise EncodingUnclear(EncodingUnclear.__doc__)


def _read(found: Sequence[bytes], name: str) -> list[str]:
    return [word.decode(name, "replace") for word in found]


def _odd(found: Sequence[bytes], name: str) -> int:
    return letters.nonsense(_read(found, name))


def likeliest(found: Sequence[bytes]) -> list[str]:
    """Return the encodings in which the words can be read at all, the most sensible first."""
    usable = [name for name in _ASKED if _decodes(b"\n".join(found), name)]
    return sorted(usable, key=lambda name: _odd(found, name))


def _decodes(text: bytes, name: str) -> bool:
    try:
        text.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def _is_another_script(sample: bytes) -> bool:
    """Cyrillic, Greek, Korean: whole words of high bytes, which are single ones in the West."""
    runs = _HIGH.findall(sample)
    return 2 * sum(len(run) for run in runs if len(run) > 2) > len(b"".join(runs))


def _is_chinese(sample: bytes) -> bool:
    """GB 2312, which GB 18030 contains: high bytes go in pairs, and give signs that names have.

    Korean and Japanese go in pairs too, but then hardly a sign is one of those.
    """
    runs = _HIGH.findall(sample)
    pairs = [run for run in runs if len(run) % 2 == 0 and all(0xA1 <= b <= 0xF7 for b in run[::2])]
    if len(pairs) <= _MOSTLY * (len(runs) - len(pairs)):
        return False
    text = b"".join(pairs).decode("gb18030", "replace")
    return sum(sign in _CHINESE for sign in text) * 5 > len(text)


def _is_japanese(sample: bytes) -> bool:
    """Most signs begin with a byte that is seldom a letter in the West, and all of it decodes."""
    signs = _JAPANESE.findall(sample)
    lead = sum(len(one) == 2 and one[0] < 0xA0 for one in signs)
    if not lead or lead < len(signs) - lead:
        return False
    try:
        text = sample[: sample.rfind(b"\n") + 1 or None].decode("cp932")
    except UnicodeDecodeError:
        return False
    signs_of_its_own = sum("\u3040" <= one <= "\u9fff" for one in text)
    return signs_of_its_own > 1 + _MOSTLY * len(_LONELY.findall(text))
