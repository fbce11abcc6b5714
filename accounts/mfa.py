"""The second factor: codes of an authenticator app, and recovery codes for the day it is lost."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

from django.db import transaction
from django_otp.oath import TOTP

from accounts import throttle
from accounts.models import Authenticator, RecoveryCode, User

STEP = 30
DIGITS = 6
TOLERANCE = 1
"""A code is taken one step early or late: phones' clocks differ."""
SECRET_BYTES = 20
RECOVERY_CODES = 10
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


def enrolled(user: User) -> bool:
    return user.authenticators.filter(confirmed_at__isnull=False).exists()


def start(user: User, *, now: datetime) -> Authenticator:
    """Return the secret that the user is about to scan: the same one until it is confirmed."""
    waiting = user.authenticators.filter(confirmed_at__isnull=True).first()
    if waiting is not None:
        return waiting
    secret = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
    return Authenticator.objects.create(user=user, secret=secret, created_at=now)


def confirm(authenticator: Authenticator, code: str, *, now: datetime) -> bool:
    """Take the first code: from now on this authenticator is the user's only one."""
    if not _take(authenticator, code, now=now):
        return False
    with transaction.atomic():
        Authenticator.objects.filter(user=authenticator.user).exclude(pk=authenticator.pk).delete()
        Authenticator.objects.filter(pk=authenticator.pk).update(confirmed_at=now)
    return True


def verify(user: User, code: str, *, now: datetime) -> bool:
    """Take a code of the user's authenticator, once; failures slow the next attempt down."""
    limits = {throttle.CODE: str(user.pk)}
    if throttle.wait(limits, now=now):
        return False
    authenticator = user.authenticators.filter(confirmed_at__isnull=False).first()
    if authenticator is not None and _take(authenticator, code, now=now):
        throttle.succeeded(limits)
        return True
    throttle.failed(limits, now=now)
    return False


def code_at(authenticator: Authenticator, *, now: datetime) -> str:
    """Return the code that the app shows at this time."""
    return f"{_totp(authenticator, now=now).token():0{DIGITS}d}"


def address(authenticator: Authenticator, *, issuer: str) -> str:
    """Return the otpauth address that the QR code carries."""
    label = quote(f"{issuer}:{authenticator.user.email}")
    words = {"secret": authenticator.secret, "issuer": issuer, "period": STEP, "digits": DIGITS}
    return f"otpauth://totp/{label}?{urlencode(words, quote_via=quote)}"


def new_recovery_codes(user: User) -> list[str]:
    """Make ten codes, show them once, and forget the old ones."""
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        user.recovery_codes.all().delete()
        RecoveryCode.objects.bulk_create(
            RecoveryCode(user=user, code_hash=_hash(user, code)) for code in codes
        )
    return codes


def recovery_codes_left(user: User) -> int:
    return user.recovery_codes.filter(used_at__isnull=True).count()


def recover(user: User, code: str, *, now: datetime) -> bool:
    """Take a recovery code, once."""
    limits = {throttle.CODE: str(user.pk)}
    if throttle.wait(limits, now=now):
        return False
    unused = user.recovery_codes.filter(code_hash=_hash(user, code), used_at__isnull=True)
    if unused.update(used_at=now) == 1:
        throttle.succeeded(limits)
        return True
    throttle.failed(limits, now=now)
    return False


def _take(authenticator: Authenticator, code: str, *, now: datetime) -> bool:
    """Say whether the code is right and newer than any taken; of two who race, one wins."""
    digits = "".join(code.split())
    if not (digits.isascii() and digits.isdigit() and len(digits) == DIGITS):
        return False
    totp = _totp(authenticator, now=now)
    if not totp.verify(int(digits), tolerance=TOLERANCE, min_t=authenticator.last_step + 1):
        return False
    step = totp.t()
    rows = Authenticator.objects.filter(pk=authenticator.pk, last_step__lt=step)
    return rows.update(last_step=step) == 1


def _totp(authenticator: Authenticator, *, now: datetime) -> TOTP:
    totp = TOTP(base64.b32decode(authenticator.secret), step=STEP, digits=DIGITS)
    totp.time = now.timestamp()
    return totp


def _recovery_code() -> str:
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    return "-".join(letters[at : at + 4] for at in (0, 4, 8))


def _hash(user: User, code: str) -> bytes:
    """59 random bits, tried a few times a minute at most: a fast hash keeps them."""
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(f"{user.pk}:{plain}".encode()).digest()
