"""One call over HTTP: to the address that was checked, followed nowhere else, bounded in time and
size."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import urllib3

from workflows.webhooks import addresses
from workflows.webhooks.addresses import AddressRefused, Policy, Resolve, Target

CONNECT, SILENT, WHOLE = 5.0, 15.0, 30.0
"""Seconds: to connect, between two bytes, and for everything."""
MOST = 256 * 1024
"""Bytes of an answer that are read."""


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
    policy: Policy,
    resolve: Resolve = addresses.of_system,
) -> Said:
    """Make the call. Nothing is raised: whatever happens is an answer to whoever wrote the row."""
    try:
        target = addresses.resolved(addresses.read(url, policy), policy, resolve=resolve)
    except AddressRefused as refused:
        return Unanswered(refused.code, lasting=refused.code != "name_not_found")
    given = {
        "host": target.host if target.port in (80, 443) else f"{target.host}:{target.port}",
        "user-agent": "Attune-Webhook/1",
        "content-type": "application/json",
        "accept": "application/json",
        "accept-encoding": "identity",
        **headers,
    }
    try:
        with _pool(target, policy) as pool:
            return _ask(pool, target.path, body, given)
    except urllib3.exceptions.SSLError:
        return Unanswered("certificate_refused")
    except urllib3.exceptions.ConnectTimeoutError:
        return Unanswered("no_connection")
    except (urllib3.exceptions.ReadTimeoutError, TimeoutError):
        return Unanswered("too_slow")
    except (urllib3.exceptions.HTTPError, OSError, ValueError):
        return Unanswered("no_connection")


def _ask(
    pool: urllib3.HTTPConnectionPool, path: str, body: bytes, headers: Mapping[str, str]
) -> Said:
    end = time.monotonic() + WHOLE
    response = pool.urlopen(
        "POST",
        path,
        body=body,
        headers=headers,
        retries=False,
        redirect=False,
        assert_same_host=False,
        preload_content=False,
    )
    try:
        held = b""
        for part in response.stream(16_384, decode_content=False):
            held += part
            if len(held) > MOST:
                return Unanswered("answer_too_large", lasting=True)
            if time.monotonic() > end:
                return Unanswered("too_slow")
        return Answered(response.status, held, response.headers.get("retry-after", ""))
    finally:
        response.close()


def _pool(target: Target, policy: Policy) -> urllib3.HTTPConnectionPool:
    """A pool of one connection, to the address and for the name."""
    timeout = urllib3.Timeout(connect=CONNECT, read=SILENT)
    if target.scheme == "http":
        return urllib3.HTTPConnectionPool(target.ip, target.port, timeout=timeout, maxsize=1)
    return urllib3.HTTPSConnectionPool(
        target.ip,
        target.port,
        timeout=timeout,
        maxsize=1,
        ssl_context=_context(policy.ca_file),
        server_hostname=target.host,
        assert_hostname=target.host,
    )


@lru_cache(maxsize=4)
def _context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
