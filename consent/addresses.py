"""Addresses as consent knows them: keyed hashes, the same that contacts are looked up by."""

from __future__ import annotations

from accounts import tenancy
from contacts.canonical import email_form, phone_form
from contacts.models import Contact
from crypto import blind_index

EMAIL, SMS = "email", "sms"
FIELD_OF_CHANNEL = {EMAIL: ("email", email_form), SMS: ("phone", phone_form)}


class UnknownChannel(ValueError):
    """No address belongs to this channel; use email or sms."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def hash_of(address: str, *, channel: str) -> bytes:
    """Return the keyed hash that stands for an address of this organisation."""
    if channel not in FIELD_OF_CHANNEL:
        raise UnknownChannel
    field, form = FIELD_OF_CHANNEL[channel]
    return blind_index.token(tenancy.current(), field, form(address))


def hashes_of_contact(contact_id: int, *, channel: str = "") -> list[bytes]:
    """Return the hashes of a contact's addresses for one channel, or for all of them."""
    found = Contact.objects.filter(id=contact_id).values_list("email_index", "phone_index").first()
    if found is None:
        return []
    by_channel = dict(zip((EMAIL, SMS), found, strict=True))
    wanted = (by_channel.get(one) for one in ([channel] if channel else by_channel))
    return [bytes(one) for one in wanted if one is not None]
