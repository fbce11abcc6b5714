"""The environment is made from nothing, even where a distribution left out ensurepip."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy import bootstrap


@contextmanager
def an_index(folder: Path, content: bytes) -> Iterator[str]:
    """Serve a package index that has one wheel of pip."""
    (folder / "pip").mkdir()
    (folder / "pip" / "index.html").write_text(f'<a href="{bootstrap.PIP_WHEEL}#sha256=0">pip</a>')
    (folder / "pip" / bootstrap.PIP_WHEEL).write_bytes(content)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, directory=str(folder), **options)  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_pip_that_is_not_the_expected_one_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with an_index(tmp_path, b"something else") as address:
        monkeypatch.setenv("PIP_INDEX_URL", address)
        with pytest.raises(SystemExit, match="expected hash"):
            bootstrap.pip_wheel(tmp_path)


def test_the_machine_s_own_package_index_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"  # of b"x"
    monkeypatch.setattr(bootstrap, "PIP_SHA256", expected)
    with an_index(tmp_path, b"x") as address:
        monkeypatch.setenv("PIP_INDEX_URL", address)
        assert bootstrap.pip_wheel(tmp_path).read_bytes() == b"x"


@pytest.mark.parametrize("name", ["run", "dev", "frontend"])
def test_requirements_are_hashed_and_name_no_host(name: str) -> None:
    text = (bootstrap.CHECKOUT / "requirements" / f"{name}.txt").read_text()
    pinned = [line for line in text.splitlines() if "==" in line]
    assert pinned
    assert all(line.endswith("\\") for line in pinned)
    assert "://" not in text
