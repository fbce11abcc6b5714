"""Which files may come and go, told by their content and never by their name alone. Pure."""

from __future__ import annotations

import re
import unicodedata

LARGEST = 10 * 1024 * 1024
LARGEST_TOGETHER = 20 * 1024 * 1024
MOST = 10
_MAGIC = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}
ENDINGS = {
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
    "text/plain": "txt",
}
_UNFIT = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')


def media_type(raw: bytes) -> str | None:
    """Return what the content is, or None where it is nothing that may travel."""
    for magic, kind in _MAGIC.items():
        if raw.startswith(magic):
            return kind
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    # A page or a picture made of markup is text too, and a browser might be talked into it.
    unfit = "\0" in text or "<" in text[:1024]
    return None if unfit else "text/plain"


def clean_name(name: str, kind: str) -> str:
    """Return a name that is safe to save under, with the ending of what the file is."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    stem = last.rpartition(".")[0] or last
    stem = "".join(sign for sign in stem if unicodedata.category(sign) not in ("Cf", "Cc"))
    stem = " ".join(_UNFIT.sub(" ", stem).split()).strip(" .")[:80] or "document"
    return f"{stem}.{ENDINGS[kind]}"


def plain_name(place: int, kind: str) -> str:
    """Return the name that a mail gives it: file names say nothing of the person (EM-07)."""
    return f"document-{place}.{ENDINGS[kind]}"
