"""Building one message: links, rendering, MIME, DKIM with RSA-2048, sealing what was merged.

build   CPU of the product's own path, against the CPU of the C primitives on the same bytes: one
        join of the rendered text, two token encryptions, base64, SHA-256 of body and of the whole,
        the RSA signature, one AES-GCM. The mail is 32 kB of HTML with 12 fields and 20 links.
"""

from __future__ import annotations

import binascii
import gc
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from statistics import median
from uuid import UUID

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

from accounts import tenancy
from benchmarks.ground import found_organisation
from benchmarks.measure import Row, peak_memory
from messaging import compose, dkim, links, templates_compile
from messaging.protect import Route
from messaging.render import Parts
from messaging.sender import Sender

MESSAGES, ROUNDS = 2_000, 5
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
FIELDS = (
    "given_name", "family_name", "prefix", "birth_date", "city", "state",
    "postal_code", "country", "gender", "language", "insurance", "plan",
)  # fmt: skip


def run(scale: float) -> Iterator[Row]:
    organisation = found_organisation(now=NOW)
    with tenancy.acting_for(organisation):
        yield _build(organisation, max(50, int(MESSAGES * scale)))


def _build(organisation: int, n: int) -> Row:
    parts, values = _parts(), {key: f"Value of {key}" for key in FIELDS}
    key = rsa.generate_private_key(65537, 2048)
    sender = _sender(organisation, key)
    sample = _one(organisation, parts, values, sender, 0)
    primitives = _Primitives(sample.data, key)
    with peak_memory() as peak:
        pairs = [
            (_cpu(primitives.all, n), _cpu(_building(organisation, parts, values, sender), n))
            for _ in range(ROUNDS)
        ]
    limit, work = (median(each) for each in zip(*pairs, strict=True))
    return Row("build", n, work, limit, kind="time", peak_mb=peak.highest)


def _parts() -> Parts:
    filler = "<p>Good care is made of small steps that anybody can take at home. </p>" * 14
    body = "".join(
        f'<mj-text>{filler}{{{{ contact.{FIELDS[n % 12]} | default("") }}}} '
        f'<a href="https://clinic.example/page/{n}">page {n}</a></mj-text>'
        for n in range(20)
    )
    mjml = f"<mjml><mj-body><mj-section><mj-column>{body}</mj-column></mj-section></mj-body></mjml>"
    text = "\n".join(f"https://clinic.example/page/{n}" for n in range(20))
    made = templates_compile.compile("News", mjml, text, FIELDS, purpose="treatment")
    return Parts(made.subject, made.html, made.text, {x.number: x.destination for x in made.links})


def _sender(organisation: int, key: rsa.RSAPrivateKey) -> Sender:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    signer = dkim.signer("clinic.example", selector="s1", pem=pem)
    origin = "https://clinic.example"
    return Sender(organisation, "Clinic", "care@clinic.example", origin, "1 Quay", "UTC", signer)


def _one(
    organisation: int, parts: Parts, values: dict[str, str], sender: Sender, number: int
) -> compose.Composed:
    addresses = links.addresses(
        sender.origin,
        organisation_id=organisation,
        message_id=number,
        contact_id=number,
        tracked=True,
        now=NOW,
    )
    merged = compose.Merged("ada@example.org", values, sender.merged(), addresses, Route.MAIL, NOW)
    composed = compose.compose(
        UUID(int=number), parts, merged, purpose="marketing", unsubscribes=True, sender=sender
    )
    compose.sealed(merged, key=bytes(32), organisation_id=organisation, number=number)
    return composed


def _building(
    organisation: int, parts: Parts, values: dict[str, str], sender: Sender
) -> Callable[[int], object]:
    return lambda number: _one(organisation, parts, values, sender, number)


class _Primitives:
    """The same work with nothing around it."""

    def __init__(self, data: bytes, key: rsa.RSAPrivateKey) -> None:
        self.data, self.key = data, key
        self.raw = data[: len(data) * 3 // 4]
        text = self.raw.decode("ascii", "replace")
        self.pieces = [text[start : start + 500] for start in range(0, len(text), 500)]
        self.tokens, self.sealer = AESSIV(os.urandom(64)), AESGCM(os.urandom(32))

    def all(self, number: int) -> None:
        "".join(self.pieces)
        for _ in range(2):
            self.tokens.encrypt(number.to_bytes(24, "big"), [b"purpose"])
        binascii.b2a_base64(self.raw)
        hashlib.sha256(self.data).digest()
        hashlib.sha256(self.data).digest()
        self.key.sign(self.data[:900], padding.PKCS1v15(), hashes.SHA256())
        self.sealer.encrypt(os.urandom(12), self.data[:600], b"where")


def _cpu(act: Callable[[int], object], n: int) -> float:
    gc.collect()
    began = time.process_time()
    for number in range(n):
        act(number)
    return time.process_time() - began
