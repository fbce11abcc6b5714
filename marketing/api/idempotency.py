"""Answer a repeated request as the first time, without doing it again (Idempotency-Key)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from accounts import tenancy
from accounts.models import ApiKey
from crypto import keyring
from marketing.api.problems import Problem
from marketing.models import Answer

HEADER = "Idempotency-Key"
LONGEST = 200
REPLAYED = "Idempotent-Replayed"

Act = Callable[[], Response]


def once(
    act: Act, *, key: str | None, machine: ApiKey, request: tuple[str, object], now: datetime
) -> Response:
    """Do the act, or give the answer that it got when the same key was first used.

    The key is claimed in the act's own transaction: a second request with it waits for the first,
    then finds its answer, or, if the first failed, does the act itself.
    """
    if key is None:
        with transaction.atomic():
            return act()
    if not 0 < len(key) <= LONGEST:
        raise Problem(400, "invalid", f"{HEADER} must have 1 to {LONGEST} characters.")
    with transaction.atomic():
        mark = _digest(f"{machine.id} {key}")
        asked = _digest(json.dumps(request, sort_keys=True))
        answer = _claim(mark, asked, now)
        if answer.status:
            return _again(answer, asked)
        response = act()
        answer.status = response.status_code
        answer.body = json.loads(JSONRenderer().render(response.data))
        answer.save(update_fields=["status", "body"])
        return response


def _claim(mark: bytes, asked: bytes, now: datetime) -> Answer:
    Answer.objects.filter(created_at__lt=now - Answer.KEPT).delete()
    answer, _ = Answer.objects.get_or_create(
        key_hash=mark, defaults={"request_hash": asked, "created_at": now}
    )
    return answer


def _again(answer: Answer, asked: bytes) -> Response:
    if bytes(answer.request_hash) != asked:
        detail = f"Use a new {HEADER} for a new request, or repeat the first one unchanged."
        raise Problem(409, "key-reused", detail)
    return Response(answer.body, status=answer.status, headers={REPLAYED: "true"})


def _digest(text: str) -> bytes:
    secret = keyring.for_organisation(tenancy.current()).derive("api answers")
    return hashlib.blake2b(text.encode(), key=secret[:64], digest_size=32).digest()


def header_of(headers: Any) -> str | None:
    """Return the request's key, or None if it has none."""
    value = headers.get(HEADER)
    return value.strip() if value is not None else None
