from __future__ import annotations

import base64
from collections.abc import Callable

import dkim as independent
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from messaging import dkim, mime
from tests.messaging.test_mime import AT, mail

KEY = rsa.generate_private_key(65537, 2048)
UNSUBSCRIBE = {
    "List-Unsubscribe": "<https://h.example/m/u/" + "a" * 130 + ">",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def record(key: rsa.RSAPrivateKey) -> Callable[..., bytes]:
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return lambda *_, **__: b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def signed(*, key: rsa.RSAPrivateKey = KEY, selector: str = "s1") -> bytes:
    made = mail(extra=UNSUBSCRIBE, subject="Grüße " * 30, html="<p>x</p>" * 3000)
    signer = dkim.signer("harbor.example", selector=selector, pem=pem(key))
    content = mime.body(made)
    return mime.whole(signer.sign(mime.headers(made), content, now=AT), content)


def verifies(message: bytes, *, key: rsa.RSAPrivateKey = KEY) -> bool:
    return bool(independent.verify(message, dnsfunc=record(key)))


def test_an_independent_library_verifies_the_signature() -> None:
    """EM-03, EM-16"""
    assert verifies(signed())


@pytest.mark.parametrize("name", [b"List-Unsubscribe:", b"List-Unsubscribe-Post:", b"From:"])
def test_without_a_signed_header_it_fails(name: bytes) -> None:
    """EM-03"""
    message = signed()
    head, _, body = message.partition(b"\r\n\r\n")
    kept = [line for line in head.split(b"\r\n") if not line.startswith(name)]
    assert not verifies(b"\r\n".join(kept) + b"\r\n\r\n" + body)


@pytest.mark.parametrize("added", [b"From: evil@x.example", b"Subject: other", b"To: b@x.example"])
def test_a_second_header_of_a_signed_name_breaks_it(added: bytes) -> None:
    """EM-16: oversigned."""
    head, _, body = signed().partition(b"\r\n\r\n")
    assert not verifies(head + b"\r\n" + added + b"\r\n\r\n" + body)


def test_a_changed_body_breaks_it() -> None:
    assert not verifies(signed().replace(b"PHA+", b"PHB+", 1))


def test_two_selectors_verify_side_by_side() -> None:
    """EM-16"""
    other = rsa.generate_private_key(65537, 2048)
    assert verifies(signed(key=other, selector="s2"), key=other)
    assert verifies(signed())


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256R1())]
)
def test_a_weak_or_foreign_key_is_refused(key: rsa.RSAPrivateKey) -> None:
    with pytest.raises(dkim.KeyUnusable):
        dkim.signer("harbor.example", selector="s1", pem=pem(key))


@pytest.mark.parametrize("body", [b"two  blanks\r\n", b"end \r\n", b"a\tb\r\n", b"a\r\n\r\n"])
def test_a_body_that_is_not_canonical_is_refused(body: bytes) -> None:
    signer = dkim.signer("harbor.example", selector="s1", pem=pem(KEY))
    with pytest.raises(ValueError, match="relaxed"):
        signer.sign(mime.headers(mail()), body, now=AT)
