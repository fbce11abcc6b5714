"""The root key, which stays outside the database and wraps every key inside it.

Providers
  FileRootKey         a file of mode 0600
  EnvironmentRootKey  a variable

A provider is anything with `wrap` and `unwrap` (`RootKeyProvider`). AWS KMS (`Encrypt`, `Decrypt`
with the context as encryption context) or Vault transit (`encrypt`, `decrypt` with `derived=true`)
fit behind the same two methods: write the class, and name it in `ATTUNE_ROOT_KEY_PROVIDER` as a
dotted path. Only a few dozen keys for each organisation are ever wrapped, and once unwrapped they
are kept for a minute, so a call over the network is affordable.

One root key is 32 bytes in base64. Several may be given, one a line (or separated by commas in the
variable): the first wraps, all unwrap; that is how a root key is changed (`rotate_keys --root`).
A generated key begins with `sample:`; production refuses it wherever it was copied to.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
import stat
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

SAMPLE_MARK = "sample:"
KEY_SIZE = 32
_NAME_SIZE = 4
_HOW = "make one with: (umask 077; openssl rand -base64 32 > root.key)"


class RootKeyRefused(ImproperlyConfigured):
    """The root key is missing, malformed, open to others, or not meant for production."""


class RootKeyProvider(Protocol):
    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Return the key encrypted under the root key and bound to the context."""
        ...

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Return the key again, or raise RootKeyRefused."""
        ...


class LocalRootKeys:
    """Root keys in this process's memory. Wrapped: key's name (4) · nonce (12) · ciphertext, tag.

    A wrapping is written once for each key, so random nonces never come near their limit.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {_name(key): AESGCM(key) for key in keys}
        self._writing = _name(keys[0])

    def wrap(self, key: bytes, context: bytes) -> bytes:
        nonce = os.urandom(12)
        return self._writing + nonce + self._ciphers[self._writing].encrypt(nonce, key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        name, nonce, sealed = wrapped[:_NAME_SIZE], wrapped[_NAME_SIZE:16], wrapped[16:]
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise RootKeyRefused(
                f"a key is wrapped with root key {name.hex()}, which is not among those given; "
                "add that root key on a second line and run manage.py rotate_keys --root"
            )
        try:
            return cipher.decrypt(nonce, sealed, context)
        except InvalidTag:
            raise RootKeyRefused("a wrapped key was altered or moved; restore it") from None


class FileRootKey(LocalRootKeys):
    """Root keys in a file that only its owner may read."""

    def __init__(self, path: Path, *, production: bool) -> None:
        super().__init__(_parse(_read_private(path), place=str(path), production=production))


class EnvironmentRootKey(LocalRootKeys):
    """Root keys in a variable, for a platform that injects secrets so."""

    def __init__(self, value: str, *, production: bool) -> None:
        super().__init__(_parse(value, place="ATTUNE_ROOT_KEY", production=production))


@lru_cache(maxsize=1)
def provider() -> RootKeyProvider:
    """Return the configured provider; refuse to go on without one."""
    production = settings.ATTUNE_MODE == "production"
    if settings.ATTUNE_ROOT_KEY_PROVIDER:
        chosen: RootKeyProvider = import_string(settings.ATTUNE_ROOT_KEY_PROVIDER)()
        return chosen
    if settings.ATTUNE_ROOT_KEY_FILE:
        return FileRootKey(Path(settings.ATTUNE_ROOT_KEY_FILE), production=production)
    if settings.ATTUNE_ROOT_KEY:
        return EnvironmentRootKey(settings.ATTUNE_ROOT_KEY, production=production)
    raise RootKeyRefused(f"no root key: set ATTUNE_ROOT_KEY_FILE or ATTUNE_ROOT_KEY; {_HOW}")


def generate(path: Path) -> None:
    """Write a root key for a sample or a test, once; production will refuse it."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    mark = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(mark, "w") as file:
        file.write(
            "# Generated for a sample. Production refuses this key.\n" + generated_key() + "\n"
        )


def generated_key() -> str:
    """Return a fresh key that bears the sample's mark."""
    return SAMPLE_MARK + base64.b64encode(secrets.token_bytes(KEY_SIZE)).decode()


def _name(key: bytes) -> bytes:
    return hashlib.sha256(b"attune root key\x00" + key).digest()[:_NAME_SIZE]


def _read_private(path: Path) -> str:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise RootKeyRefused(f"{path} is open to others ({mode:04o}): chmod 600 {path}")
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise RootKeyRefused(f"cannot read the root key {path} ({error.strerror})") from None
    except UnicodeDecodeError:
        raise RootKeyRefused(f"{path} is not a text file with a base64 key; {_HOW}") from None


def _parse(text: str, *, place: str, production: bool) -> list[bytes]:
    lines = [line.strip() for line in text.replace(",", "\n").splitlines()]
    words = [line for line in lines if line and not line.startswith("#")]
    if not words:
        raise RootKeyRefused(f"{place} holds no key; {_HOW}")
    if production and any(word.startswith(SAMPLE_MARK) for word in words):
        raise RootKeyRefused(
            f"{place} holds a key that was generated for a sample; production refuses it; {_HOW}"
        )
    return [_decode(word.removeprefix(SAMPLE_MARK), place=place) for word in words]


def _decode(word: str, *, place: str) -> bytes:
    try:
        key = base64.b64decode(word, validate=True)
    except (binascii.Error, ValueError):
        raise RootKeyRefused(f"{place}: a root key must be base64; {_HOW}") from None
    if len(key) != KEY_SIZE:
        raise RootKeyRefused(
            f"{place}: a root key must be {KEY_SIZE} bytes, not {len(key)}; {_HOW}"
        )
    return key
