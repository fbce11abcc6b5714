"""One call of an endpoint, and what it said. Where it may go is `messaging.outside`'s to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from messaging import outside
from messaging.outside import Hosts, NoAnswer, NotCalled, NotFound, TooSlow

LASTING = frozenset({"host_not_allowed", "address_not_public"})
"""Another attempt would not help."""


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    body: bytes = b""
    retry_after: str = ""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer, with a code that says why; `lasting` where another attempt would not help."""

    code: str
    lasting: bool = False


Said = Answered | Unanswered


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    hosts: Hosts,
    ca_file: str = "",
    resolve: outside.Resolve | None = None,
) -> Said:
    """Make the call. Nothing is raised: whatever happens is an answer to whoever wrote the row."""
    given = {
        "user-agent": "Attune-Webhook/1",
        "content-type": "application/json",
        "accept": "application/json",
        "accept-encoding": "identity",
        **headers,
    }
    try:
        answer = outside.call(
            "POST", url, hosts=hosts, body=body, headers=given, ca_file=ca_file, resolve=resolve
        )
    except NotFound:
        return Unanswered("name_not_found")
    except NotCalled as refused:
        return Unanswered(refused.code, lasting=refused.code in LASTING)
    except TooSlow:
        return Unanswered("too_slow")
    except NoAnswer:
        return Unanswered("no_connection")
    if answer.cut:
        return Unanswered("answer_too_large", lasting=True)
    return Answered(answer.status, answer.body, answer.headers.get("retry-after", ""))
