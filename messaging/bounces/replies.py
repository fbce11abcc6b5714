"""Tell an automatic answer from a person's and from a bounce (RFC 3834). Pure."""

from __future__ import annotations

import re

from messaging.bounces import phrases
from messaging.bounces.parts import Parts
from messaging.bounces.verdict import Class

_SUBJECT = re.compile(
    r"^\s*(?:(?:re|aw)\s*:\s*)?\W*(?:auto(?:matic|matische)?[- ]?(?:reply|response|re(?:sponder)?"
    r"|antwort)\b|automatic (?:reply|response)|out of (?:the )?office|on vacation|vacation"
    r"|away from|abwesenheit|autosvar|respuesta autom|r[ée]ponse automatique|absence"
    r"|respons[ae] automatic|risposta automatica|resposta autom|自動(?:応答|返信)|不在)",
    re.IGNORECASE,
)
_AWAY = re.compile(
    r"\b(?:i am|i'm|i will be|is|are) (?:currently )?(?:out of (?:the )?office|away|on (?:annual |"
    r"sick |maternity |parental )?(?:leave|vacation|holiday)|travel+ing)\b",
    re.IGNORECASE,
)


def is_automatic(parts: Parts) -> bool:
    """Say whether the headers call it an automatic answer; a report of a failure is none."""
    if parts.report or parts.headers.get_content_type() == "multipart/report":
        return False
    if parts.header("X-Failed-Recipients"):
        return False
    submitted = parts.header("Auto-Submitted").lower()
    if submitted.startswith("auto-replied"):
        return not _is_daemon(parts)
    if any(parts.header(name) for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder")):
        return True
    if parts.header("Precedence").lower().strip() == "auto_reply":
        return True
    if parts.header("X-Auto-Response-Suppress") and _SUBJECT.search(parts.header("Subject")):
        return True
    return bool(_SUBJECT.search(parts.header("Subject"))) and not _is_daemon(parts)


def sounds_automatic(parts: Parts) -> bool:
    """Say whether the words call it so, where no failure was found in them."""
    words = parts.text.lower()
    return phrases.said(Class.VACATION, words) or bool(_AWAY.search(parts.text[:2_000]))


def _is_daemon(parts: Parts) -> bool:
    """Some servers mark their bounces as automatic answers."""
    return bool(re.search(r"mailer-daemon|postmaster|mail delivery", parts.header("From"), re.I))
