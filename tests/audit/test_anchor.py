"""The anchor's files, and an anchor of one's own."""

from __future__ import annotations

from pathlib import Path

from pytest_django import Settings

from audit import anchor
from audit.anchor import FileAnchor


class Shelf(FileAnchor):
    """Stands for a store in another account."""

    def __init__(self) -> None:
        super().__init__(Path("/nowhere"))


def test_an_anchor_of_ones_own_is_taken_by_its_path(settings: Settings) -> None:
    """SE-12."""
    settings.ATTUNE_ANCHOR = "tests.audit.test_anchor.Shelf"
    assert isinstance(anchor.configured(), Shelf)


def test_the_folder_of_the_settings_is_the_rule(settings: Settings, tmp_path: Path) -> None:
    settings.ATTUNE_ANCHOR_DIR = tmp_path
    configured = anchor.configured()
    assert isinstance(configured, FileAnchor)
    assert configured.folder == tmp_path


def test_files_are_private_and_only_grow(tmp_path: Path) -> None:
    shelf = FileAnchor(tmp_path / "anchor")
    shelf.publish({1: b"one"})
    shelf.publish({1: b"another", 2: b"two"})
    assert shelf.keys() == {1: b"one", 2: b"two"}
    (path,) = shelf.folder.iterdir()
    assert path.stat().st_mode & 0o077 == 0


def test_the_erased_are_named_once(tmp_path: Path) -> None:
    shelf = FileAnchor(tmp_path)
    shelf.remember_erased(1, ["contact:5", "contact:7"])
    shelf.remember_erased(1, ["contact:5"])
    assert shelf.erased(1) == ["contact:5", "contact:7"]
    assert shelf.organisations() == []
