"""Log lines without anybody's data."""

from __future__ import annotations

import logging
import traceback
from types import TracebackType


class PrivateFormatter(logging.Formatter):
    """Write an exception's type and place but not its text, for a text may quote a value."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatException(  # noqa: N802  logging's own name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        kind, _, trace = ei
        places = [
            f"  {frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(trace)
        ]
        name = kind.__qualname__ if kind else "unknown"
        return "\n".join([*places, f"{name} (text withheld: it may quote a value)"])
