"""Do links say where they lead, read by themselves as screen readers list them?"""

from __future__ import annotations

from collections.abc import Iterator

from messaging.making.checks.checked import MARK, Checked, Element, elements
from messaging.sandbox import Problem

_EMPTY_WORDS = frozenset(
    ["click here", "here", "more", "read more", "learn more", "link", "this link", "this page",
     "details", "go", "see more", "haga clic aquí", "aquí", "más", "leer más", "ver más", "enlace"]
)  # fmt: skip
_LINKS = frozenset({"a", "mj-button", "mj-navbar-link"})


def check(checked: Checked) -> Iterator[Problem]:
    led: dict[str, str] = {}
    for element in elements(checked.mjml):
        if element.name not in _LINKS or not element.given.get("href"):
            continue
        href, label = element.given["href"].strip(), element.text().rstrip(".!»›→ ")
        yield from _label(element, label)
        if href.lower().startswith("http://"):
            yield Problem("mjml", element.line, "This link goes by http, where anybody on the way "
                          "can read along; use https.", "links")  # fmt: skip
        if label and led.setdefault(label.lower(), href) != href:
            yield Problem("mjml", element.line, f"Two links say “{label[:40]}” and lead to "
                          "different places.", "links")  # fmt: skip


def _label(element: Element, label: str) -> Iterator[Problem]:
    holds_more = MARK.search("".join(element.words))
    if label.lower() in _EMPTY_WORDS:
        yield Problem("mjml", element.line, f"The link says “{label}”: say where it leads, as a "
                      "screen reader reads links out by themselves.", "links")  # fmt: skip
    elif label.lower().startswith(("http://", "https://", "www.")):
        yield Problem("mjml", element.line, "The link shows its address; with tracking the two "
                      "differ, which mail programs warn of. Use words.", "links")  # fmt: skip
    elif not label and not holds_more and element.name != "a":
        yield Problem("mjml", element.line, "The button says nothing.", "links")
