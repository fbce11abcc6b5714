"""The front end is built when it must be, and not when it need not be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.build import is_stale, stamp


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    frontend, built = tmp_path / "frontend", tmp_path / "built"
    (frontend / "src").mkdir(parents=True)
    for name in ("package-lock.json", "vite.config.ts", "src/main.tsx"):
        (frontend / name).touch()
        os.utime(frontend / name, (1000, 1000))
    built.mkdir()
    (built / "canvas.js").touch()
    stamp(built)
    os.utime(built / ".built", (2000, 2000))
    return frontend, built


def test_a_bundle_newer_than_its_sources_stays(folders: tuple[Path, Path]) -> None:
    assert not is_stale(*folders)


def test_a_changed_source_makes_it_stale(folders: tuple[Path, Path]) -> None:
    os.utime(folders[0] / "src" / "main.tsx", (3000, 3000))
    assert is_stale(*folders)


@pytest.mark.parametrize("gone", [".built", "canvas.js"])
def test_a_missing_bundle_is_stale(folders: tuple[Path, Path], gone: str) -> None:
    (folders[1] / gone).unlink()
    assert is_stale(*folders)


def test_where_nothing_was_built_it_is_stale(folders: tuple[Path, Path]) -> None:
    (folders[1] / "canvas.js").unlink()
    stamp(folders[1])
    os.utime(folders[1] / ".built", (2000, 2000))
    assert is_stale(*folders)
