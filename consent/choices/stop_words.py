"""Does a reply say no? Pure; the words of 47 CFR 64.1200(a)(10), their kin, and Spanish.

Texts know two words more: HELP, which is answered, and START, which takes a STOP back (CTIA 5.1).

A keyword alone, or wording that leaves no doubt, is a no at once. Thanks and confirmations are
nothing. All else is for a person to read: guessing wrong either way does harm.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Verdict = Literal["stop", "review", "nothing", "help", "start"]

STOP = frozenset(
    """
    stop|stopall|stop all|quit|end|revoke|opt out|optout|cancel|unsubscribe|unsubscribe me|unsub
    |remove|remove me|stop it|please stop|stop please|no more|stop now|cancel all|end all|quit all
    |alto|baja|parar|pare|basta|cancelar|detener|detengan|no mas|dar de baja
    """.replace("\n", "").split("|")
)
_STOP = frozenset(" ".join(one.split()) for one in STOP)
NOTHING = frozenset(
    """thanks|thank you|ok|okay|yes|y|c|1|confirm|confirmed|help|info|start|gracias|si|vale|
    ayuda|""".replace("\n", "").split("|")
)
HELP = frozenset({"help", "info", "help me", "ayuda"})
START = frozenset({"start", "unstop", "start again", "restart", "empezar", "comenzar", "inicio"})
_NOTHING = frozenset(" ".join(one.split()) for one in NOTHING)
CLEAR = re.compile(
    r"\b(unsubscribe me|opt me out|i (want|wish|would like) to (opt out"
    r"|unsubscribe|cancel|revoke)|stop (sending|texting|e ?mailing|messaging|contacting|writing)"
    r"|take me off|remove (me|my (number|address|e ?mail))"
    r"|(do not|dont|don t) (text|e ?mail|message|contact|write to|write) me"
    r"|no me (escriban|envien|manden)|dejen de (escribirme|enviarme|mandarme))\b"
)
TURNED = re.compile(r"\b(do not|dont|don t|never|please don t) (stop|unsubscribe|cancel|remove)\b")
_QUOTED = re.compile(r"^(>|on .{3,120} wrote:|el .{3,120} escribio:|-----|from: |de: )", re.I)
_ALONE = frozenset(one for one in _STOP if " " not in one)
_COURTESY = frozenset({"please", "thanks", "thank", "you", "now", "por", "favor", "gracias", "all"})


def classify(text: str) -> Verdict:
    """Say what a reply is; the quoted mail and the signature below it do not count."""
    said = normal(own_words(text))
    if said in _STOP:
        return "stop"
    if CLEAR.search(said) and not TURNED.search(said):
        return "stop"
    words = frozenset(said.split(" "))
    if words & _ALONE and words <= _ALONE | _COURTESY:
        return "stop"
    return "nothing" if said in _NOTHING else "review"


def classify_text(text: str) -> Verdict:
    """Say what a text message is: as any reply, or one of the two words that only texts know."""
    said = normal(text[:1_600])
    if said in HELP:
        return "help"
    return "start" if said in START else classify(text)


def own_words(text: str) -> str:
    """Return what stands before the quotation and the signature."""
    lines = []
    for line in text[:20_000].splitlines():
        if line.rstrip() in ("--", "__") or _QUOTED.match(plain(line.strip())):
            break
        lines.append(line)
    return "\n".join(lines)


def plain(text: str) -> str:
    """Return the text without accents."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(one for one in apart if not unicodedata.combining(one))


def normal(text: str) -> str:
    """Return words alone, small, a space between: what punctuation and case leave."""
    words = re.sub(r"[^a-z0-9]+", " ", plain(text).casefold()).strip()
    return re.sub(r"\b([a-z])(?: ([a-z]))(?: ([a-z]))(?: ([a-z]))\b", r"\1\2\3\4", words)
