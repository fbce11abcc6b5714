"""Read a mail that came back: a bounce, a complaint, an automatic reply, or a person. Pure.

`read` takes the bytes of a mail and says what each recipient's fate is and by what evidence. It
knows nothing of contacts, and nothing here does I/O but the table of phrases, which is code.
"""

from __future__ import annotations

from messaging.bounces.reading import of_reply, read
from messaging.bounces.verdict import Class, Heard, Kind, Verdict

__all__ = ["Class", "Heard", "Kind", "Verdict", "of_reply", "read"]
