"""Pictures are drawn anew, given out by one address for everybody, and never change."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.test import Client
from PIL import Image

from accounts import tenancy
from accounts.models import Organisation
from crypto import keyring, tokens
from messaging.models import Picture
from messaging.pictures import keeping
from messaging.pictures.keeping import PictureRefused
from tests.conftest import NOON

ORIGIN = "https://h.example"


def photo(kind: str = "JPEG", size: tuple[int, int] = (40, 30), **more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, kind, **more)
    return out.getvalue()


def take(raw: bytes, alt: str = "A doctor") -> Picture:
    return keeping.take(raw, alt=alt, now=NOON)


def test_where_and_with_what_it_was_taken_is_gone(at_harbor: Organisation) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRET CAMERA"
    made = take(photo(exif=exif.tobytes()))
    assert b"SECRET" not in bytes(made.content)


def test_what_is_hidden_behind_a_picture_is_gone(at_harbor: Organisation) -> None:
    made = take(photo() + b"<script>alert(1)</script>")
    assert b"script" not in bytes(made.content)


def test_a_large_picture_is_made_smaller(at_harbor: Organisation) -> None:
    assert take(photo(size=(3000, 1500))).width == keeping.WIDEST


def test_what_is_see_through_stays_so(at_harbor: Organisation) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(out, "PNG")
    made = take(out.getvalue())
    assert Image.open(io.BytesIO(bytes(made.content))).mode == "RGBA"


def test_webp_becomes_what_every_mail_program_shows(at_harbor: Organisation) -> None:
    assert take(photo("WEBP")).kind == "jpeg"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "It is no picture"),
        (b"", "It is no picture"),
        (photo()[:200], "broken or cut off"),
        (b"x" * (keeping.LARGEST + 1), "larger than"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(
    at_harbor: Organisation, raw: bytes, said: str
) -> None:
    with pytest.raises(PictureRefused, match=said):
        take(raw)


def test_a_bomb_of_pixels_is_refused_before_it_is_opened(at_harbor: Organisation) -> None:
    """SE-19: a few kilobytes that would take gigabytes of memory."""
    with pytest.raises(PictureRefused, match="pixels"):
        take(photo("PNG", size=(8_000, 8_000), optimize=True))


def test_the_same_picture_is_kept_once(at_harbor: Organisation) -> None:
    assert take(photo()).id == take(photo()).id


def test_everybody_gets_it_by_its_address_for_good(at_harbor: Organisation, client: Client) -> None:
    made = take(photo())
    answer = client.get(keeping.address(made, origin="", now=NOON))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert "immutable" in answer["Cache-Control"]


def test_nobody_can_guess_an_address(at_harbor: Organisation, client: Client) -> None:
    assert client.get("/m/i/AAAA.png").status_code == 404


def test_a_token_for_something_else_is_no_picture(at_harbor: Organisation, client: Client) -> None:
    made = take(photo())
    other = tokens.issue(
        {"p": made.id.hex},
        purpose="message.unsubscribe",
        now=NOON,
        lifetime=timedelta(days=1),
        organisation_id=at_harbor.pk,
    )
    assert client.get(f"/m/i/{other}.jpeg").status_code == 404


def test_it_is_shown_after_the_keys_were_changed(at_harbor: Organisation, client: Client) -> None:
    made = take(photo())
    address = keeping.address(made, origin="", now=NOON)
    keyring.rotate_installation(now=NOON)
    assert client.get(address).status_code == 200


def test_archived_is_offered_no_more_and_shown_still(
    at_harbor: Organisation, client: Client
) -> None:
    made = take(photo())
    keeping.archive(made, now=NOON)
    assert not Picture.objects.filter(archived_at=None).exists()
    assert client.get(keeping.address(made, origin="", now=NOON)).status_code == 200


def test_another_organisation_does_not_see_it_among_its_own(
    at_harbor: Organisation, hill: Organisation
) -> None:
    take(photo())
    with tenancy.acting_for(hill.pk):
        assert not Picture.objects.exists()
