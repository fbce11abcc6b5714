"""The root key: where it may come from, and what is refused."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from crypto import root
from crypto.root import EnvironmentRootKey, FileRootKey, RootKeyRefused

KEY = base64.b64encode(b"r" * 32).decode()
OTHER = base64.b64encode(b"o" * 32).decode()


def _file(folder: Path, content: str, *, mode: int = 0o600) -> Path:
    path = folder / "root.key"
    path.write_text(content)
    path.chmod(mode)
    return path


def test_a_wrapped_key_opens_with_the_same_root_and_context(tmp_path: Path) -> None:
    keys = FileRootKey(_file(tmp_path, KEY), production=True)
    assert keys.unwrap(keys.wrap(b"k" * 32, b"here"), b"here") == b"k" * 32


def test_a_wrapped_key_does_not_open_elsewhere(tmp_path: Path) -> None:
    keys = FileRootKey(_file(tmp_path, KEY), production=True)
    with pytest.raises(RootKeyRefused, match="altered or moved"):
        keys.unwrap(keys.wrap(b"k" * 32, b"here"), b"there")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_root_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(RootKeyRefused, match="chmod 600"):
        FileRootKey(_file(tmp_path, KEY, mode=mode), production=False)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "holds no key"),
        ("# only a comment\n", "holds no key"),
        ("not base64!", "must be base64"),
        (base64.b64encode(b"short").decode(), "must be 32 bytes, not 5"),
    ],
)
def test_a_malformed_root_key_is_refused(tmp_path: Path, content: str, complaint: str) -> None:
    with pytest.raises(RootKeyRefused, match=complaint) as refusal:
        FileRootKey(_file(tmp_path, content), production=False)
    assert not content or content not in str(refusal.value)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(RootKeyRefused, match=r"/nowhere/root\.key"):
        FileRootKey(Path("/nowhere/root.key"), production=False)


def test_production_refuses_a_generated_key(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    root.generate(path)
    FileRootKey(path, production=False)
    with pytest.raises(RootKeyRefused, match="generated for a sample"):
        FileRootKey(path, production=True)


def test_production_refuses_a_generated_key_that_was_copied_to_a_variable() -> None:
    with pytest.raises(RootKeyRefused, match="generated for a sample"):
        EnvironmentRootKey(root.generated_key(), production=True)


def test_a_generated_key_is_private_and_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "root.key"
    root.generate(path)
    first = path.read_text()
    root.generate(path)
    assert (path.stat().st_mode & 0o777, path.read_text()) == (0o600, first)


def test_the_first_of_several_root_keys_wraps_and_all_unwrap() -> None:
    old = EnvironmentRootKey(OTHER, production=True)
    both = EnvironmentRootKey(f"{KEY},{OTHER}", production=True)
    new = EnvironmentRootKey(KEY, production=True)
    assert both.unwrap(old.wrap(b"k" * 32, b""), b"") == b"k" * 32
    assert new.unwrap(both.wrap(b"k" * 32, b""), b"") == b"k" * 32


def test_a_key_under_an_unknown_root_says_what_to_do() -> None:
    wrapped = EnvironmentRootKey(OTHER, production=True).wrap(b"k" * 32, b"")
    with pytest.raises(RootKeyRefused, match="rotate_keys --root"):
        EnvironmentRootKey(KEY, production=True).unwrap(wrapped, b"")


class ElsewhereRootKey(EnvironmentRootKey):
    """Stands for a key management service: made without arguments, named by its path."""

    def __init__(self) -> None:
        super().__init__(KEY, production=True)


@pytest.fixture
def fresh_choice() -> Iterator[None]:
    root.provider.cache_clear()
    yield
    root.provider.cache_clear()


def test_a_provider_of_ones_own_is_taken_by_its_path(
    settings: Settings, fresh_choice: None
) -> None:
    settings.ATTUNE_ROOT_KEY_PROVIDER = "tests.crypto.test_root.ElsewhereRootKey"
    assert isinstance(root.provider(), ElsewhereRootKey)


def test_without_any_root_key_nothing_starts(settings: Settings, fresh_choice: None) -> None:
    """W3."""
    settings.ATTUNE_ROOT_KEY = settings.ATTUNE_ROOT_KEY_FILE = ""
    with pytest.raises(RootKeyRefused, match="set ATTUNE_ROOT_KEY_FILE or ATTUNE_ROOT_KEY"):
        root.provider()
