"""The certificate or key that a signed reply brings, once its signature is found good.

A reply to a message of ours holds 122 random bits that only who had the mail can know, so who signs
it holds the mailbox; the address of From, of the message and of the key must be one and the same.
That makes the key as good as the mailbox, and no better: it never pushes aside one that the person
or staff gave (`protection.keys.keeping`). No chain of authorities is asked, since none is needed
for that.

S/MIME is verified by the `openssl` program, as no Python library does; without it no certificate is
taken from mail. OpenPGP keys come attached (application/pgp-keys) or by Autocrypt.
"""

from __future__ import annotations

import email
import re
import shutil
import subprocess
import tempfile
from base64 import b64decode
from binascii import Error as NotBase64
from email.message import Message as Mail
from email.utils import parseaddr
from pathlib import Path
from typing import Final

import pysequoia

from contacts.canonical import ValueRefused, email_form

LARGEST: Final = 2 * 1024 * 1024
SECONDS: Final = 5
_SMIME: Final = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature"})
_OPAQUE: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})


def key_of(raw: bytes, *, sender: str) -> bytes | None:
    """Return the certificate (PEM) or key of the sender of a signed mail, where it verifies.

    `sender` is whom it must come from. Whatever the bytes are, there is an answer, no exception.
    """
    if len(raw) > LARGEST:
        return None
    mail = email.message_from_bytes(raw)
    if not _is_from(mail, sender):
        return None
    kind, protocol = mail.get_content_type(), str(mail.get_param("protocol", "")).lower()
    if (kind == "multipart/signed" and protocol in _SMIME) or kind in _OPAQUE:
        return _certificate(raw)
    if kind == "multipart/signed" and protocol == "application/pgp-signature":
        return _openpgp(raw, mail)
    return None


def _is_from(mail: Mail, sender: str) -> bool:
    """Say whether the one From of the mail names the sender."""
    named = mail.get_all("From", [])
    if len(named) != 1:
        return False
    try:
        return email_form(parseaddr(str(named[0]))[1]) == email_form(sender)
    except ValueRefused:
        return False


def _certificate(raw: bytes) -> bytes | None:
    program = shutil.which("openssl")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        # Only the certificate touches the disk; the words of the mail go by pipes.
        signer = Path(folder) / "signer.pem"
        asked = [program, "cms", "-verify", "-noverify", "-signer", str(signer)]
        try:
            done = subprocess.run(
                asked,
                input=raw,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        if done.returncode != 0 or not signer.exists():
            return None
        found = signer.read_bytes()
    return found if found.count(b"BEGIN CERTIFICATE") == 1 else None


def _openpgp(raw: bytes, mail: Mail) -> bytes | None:
    parts = mail.get_payload()
    if not isinstance(parts, list) or len(parts) != 2 or not isinstance(parts[1], Mail):
        return None
    signature, said = parts[1].get_payload(decode=True), _first_part(raw, mail)
    key = _brought(mail)
    if not isinstance(signature, bytes) or said is None or key is None:
        return None
    try:
        cert = pysequoia.Cert.from_bytes(key)
        pysequoia.verify(
            bytes=said, store=lambda _: [cert], signature=pysequoia.Sig.from_bytes(signature)
        )
    except Exception:  # a bad signature or key: the library raises what it likes
        return None
    return key


def _first_part(raw: bytes, mail: Mail) -> bytes | None:
    """Return the bytes that were signed, lines ending as on the wire (RFC 3156, section 5)."""
    boundary = mail.get_boundary()
    if not boundary:
        return None
    lines = re.sub(rb"\r?\n", b"\r\n", raw)
    edge = re.escape(boundary.encode("ascii", "replace"))
    found = re.search(rb"\r\n--%b[ \t]*\r\n(.*?)\r\n--%b" % (edge, edge), lines, re.DOTALL)
    return found[1] if found else None


def _brought(mail: Mail) -> bytes | None:
    """Return the key that the mail brings: an attached one, else the one of Autocrypt."""
    for part in mail.walk():
        if part.get_content_type() == "application/pgp-keys":
            raw = part.get_payload(decode=True)
            return raw if isinstance(raw, bytes) else None
    for header in mail.get_all("Autocrypt", []):
        named = re.search(r"keydata=([A-Za-z0-9+/=\s]+)", str(header))
        try:
            return b64decode("".join(named[1].split()), validate=True) if named else None
        except NotBase64:
            return None
    return None
