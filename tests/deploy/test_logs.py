"""The log has an exception's type and place, and nothing of what it quotes (SR-03)."""

from __future__ import annotations

import io
import logging

from marketing.logs import PrivateFormatter


def test_an_exception_s_text_stays_out_of_the_log() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(PrivateFormatter())
    logger = logging.getLogger("attune.test")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        raise ValueError("born 1960-02-29")
    except ValueError:
        logger.exception("import of run 7 failed")
    assert "import of run 7 failed" in out.getvalue()
    assert "ValueError" in out.getvalue()
    assert "test_logs.py" in out.getvalue()
    assert "1960" not in out.getvalue()
