"""Why a file cannot be read."""

from __future__ import annotations

from collections.abc import Sequence


class FileBroken(ValueError):
    """The file cannot be read. Names the line where there is one, and never a value.

    `read_otherwise` says that another encoding, delimiter, sheet or header may be the right one;
    `letters` that its encoding is what is asked; `sheets` are those that may be chosen.
    """

    def __init__(
        self,
        reason: str,
        line: int = 0,
        place: str = "",
        *,
        read_otherwise: bool = False,
        letters: bool = False,
        sheets: Sequence[str] = (),
    ) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.reason = reason
        self.line = line
        self.place = place or (f"line {line}" if line else "the file")
        self.read_otherwise = read_otherwise
        self.letters = letters
        self.sheets = list(sheets)
