"""Take pictures in, and give them out by an address that says nothing of whoever looks.

What is uploaded is decoded and drawn anew, so that neither a camera's place and owner, nor a script
behind a picture, nor a bomb of pixels comes through. One picture has one address for everybody:
that it was loaded tells nothing of a person.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction

from accounts import tenancy
from audit import actor, trail
from crypto import tokens
from crypto.tokens import TokenRefused
from messaging.pictures.models import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

PURPOSE: Final = "message.picture"
LARGEST: Final = 10 * 1024 * 1024
"""Bytes of an upload."""
MOST_PIXELS: Final = 40_000_000
WIDEST: Final = 1_200
"""Pixels: twice the width of a mail, for fine screens."""
FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP")
QUALITY: Final = 82


class PictureRefused(ValueError):
    """The upload cannot be shown in a mail; the message says why."""


def take(raw: bytes, *, alt: str, now: datetime) -> Picture:
    """Keep a picture and return it, or the same one kept before. Raises PictureRefused."""
    if len(raw) > LARGEST:
        raise PictureRefused(f"It is larger than {LARGEST // (1024 * 1024)} MB.")
    kind, width, height, content = _drawn_anew(raw)
    digest = hashlib.sha256(content).hexdigest()
    try:
        with transaction.atomic():
            made = Picture.objects.create(
                kind=kind,
                width=width,
                height=height,
                alt=alt.strip()[:250],
                sha256=digest,
                content=content,
                uploaded_by=actor.current().id,
                uploaded_at=now,
            )
            trail.record("picture.uploaded", subject=f"picture:{made.id}")
    except IntegrityError:
        made = Picture.objects.get(sha256=digest, alt=alt.strip()[:250])
        Picture.objects.filter(pk=made.pk).update(archived_at=None)
    return made


def _drawn_anew(raw: bytes) -> tuple[str, int, int, bytes]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            found = Image.open(io.BytesIO(raw), formats=FORMATS)
            if found.width * found.height > MOST_PIXELS:
                raise PictureRefused(f"It has more than {MOST_PIXELS:,} pixels.")
            upright = ImageOps.exif_transpose(found)
            upright.thumbnail((WIDEST, 4 * WIDEST))
            return _written(upright)
    except PictureRefused:
        raise
    except (UnidentifiedImageError, Image.DecompressionBombError, Warning):
        raise PictureRefused("It is no picture: use JPEG, PNG, GIF or WebP.") from None
    except (OSError, ValueError, SyntaxError, EOFError):
        raise PictureRefused("It is broken or cut off: export it again.") from None


def _written(picture: Image) -> tuple[str, int, int, bytes]:
    """Photographs as JPEG; what is see-through or drawn with few colours as PNG."""
    see_through = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    out = io.BytesIO()
    if see_through or picture.mode in ("P", "1", "L"):
        plain = picture.convert("RGBA" if see_through else "RGB")
        plain.save(out, "PNG", optimize=True)
        return "png", plain.width, plain.height, out.getvalue()
    plain = picture.convert("RGB")
    plain.save(out, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return "jpeg", plain.width, plain.height, out.getvalue()


def address(picture: Picture, *, origin: str, now: datetime) -> str:
    """Return the address that stands in mails: the same for everybody, for good."""
    token = tokens.issue(
        {"p": picture.id.hex},
        purpose=PURPOSE,
        now=now,
        lifetime=None,
        organisation_id=picture.organisation_id,
    )
    return f"{origin}/m/i/{token}.{picture.kind}"


def by_token(token: str, *, now: datetime) -> Picture:
    """Return the picture; raises TokenRefused for everything else."""
    read = tokens.read(token, purpose=PURPOSE, now=now)
    with tenancy.acting_for(read.organisation_id):
        found = Picture.objects.filter(pk=read.payload["p"]).first()
    if found is None:
        raise TokenRefused
    return found


@transaction.atomic
def archive(picture: Picture, *, now: datetime) -> None:
    """Offer it no more; mails that show it go on showing it."""
    Picture.objects.filter(pk=picture.pk, archived_at=None).update(archived_at=now)
    trail.record("picture.archived", subject=f"picture:{picture.pk}")
