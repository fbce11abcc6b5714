"""A mail's HTML as a document that may stand in a frame of our own pages, and can do nothing.

A mail needs inline styles, which our pages forbid; so it is a document of its own with a policy of
its own: no scripts, no forms, pictures from here only, sandboxed besides.
"""

from __future__ import annotations

import re

from django.http import HttpResponse

POLICY = "; ".join(
    [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
        "sandbox allow-popups allow-popups-to-escape-sandbox",
    ]
)


def framed(html: str) -> HttpResponse:
    """Answer with the mail; its links open beside the page, not inside the frame."""
    response = HttpResponse(html.replace("<head>", '<head><base target="_blank">', 1))
    response["Content-Security-Policy"] = POLICY
    response["Referrer-Policy"] = "no-referrer"
    return response


_SOURCE = re.compile(
    r"(<img\b(?:[^>\"']|\"[^\"]*\"|'[^']*')*?)\ssrc=(?:\"[^\"]*\"|'[^']*')", re.IGNORECASE
)
_DARK = (
    "<style>html{background:#121212}body{filter:invert(1) hue-rotate(180deg)}"
    "img{filter:invert(1) hue-rotate(180deg)}</style></head>"
)


def dark(html: str) -> str:
    """Return the mail as programs show it that turn its colours round for dark screens."""
    return html.replace("</head>", _DARK, 1)


def without_pictures(html: str) -> str:
    """Return the mail as it is shown before anybody lets pictures load: their words stand there."""
    return _SOURCE.sub(r"\1", html)
