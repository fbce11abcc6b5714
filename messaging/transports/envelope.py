"""What stands around a mail on the wire: the commands with its addresses, and the final dot."""

from __future__ import annotations

import re
from collections.abc import Mapping

from messaging.transports.base import Outgoing

_UNSENDABLE = re.compile(r"[\x00-\x20<>\x7f]")


class Unaddressable(Exception):
    """This address cannot be written to, whatever the server's mood."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def commands(mail: Outgoing, extensions: Mapping[str, str]) -> list[bytes]:
    """Return MAIL, RCPT and DATA for a server that offers these extensions.

    Raises `Unaddressable` where the server cannot carry the address.
    """
    recipient = on_the_wire(mail.recipient)
    options = [f"SIZE={len(mail.data)}"] if "SIZE" in extensions else []
    if not recipient.isascii():
        if "SMTPUTF8" not in extensions:
            raise Unaddressable("smtputf8_required")
        options.append("SMTPUTF8")
    notify = ""
    if "DSN" in extensions and mail.envelope_id:
        options += ["RET=HDRS", f"ENVID={mail.envelope_id}"]
        if recipient.isascii():
            notify = f" NOTIFY=FAILURE,DELAY ORCPT=rfc822;{xtext(recipient)}"
    parameters = "".join(f" {option}" for option in options)
    return [
        f"MAIL FROM:<{on_the_wire(mail.sender)}>{parameters}\r\n".encode(),
        f"RCPT TO:<{recipient}>{notify}\r\n".encode(),
        b"DATA\r\n",
    ]


def dotted(data: bytes) -> bytes:
    """Return the mail with leading dots doubled and the final dot behind it."""
    if data.startswith(b"."):
        data = b"." + data
    if b"\r\n." in data:
        data = data.replace(b"\r\n.", b"\r\n..")
    return data + (b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n")


def on_the_wire(address: str) -> str:
    """Return the address as commands carry it: the local part as it is, the domain as A-labels."""
    local, _, domain = address.rpartition("@")
    if not local or _UNSENDABLE.search(address):
        raise Unaddressable("address_unusable")
    if domain.isascii():
        return address
    try:
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        raise Unaddressable("address_unusable") from None


def xtext(address: str) -> str:
    return re.sub(r"[^!-*,-<>-~]", lambda sign: f"+{ord(sign[0]):02X}", address)
