"""Mailbox providers with so many people that naming one names nobody. Pure."""

from __future__ import annotations

_DOMAINS = {
    "gmail": "gmail.com googlemail.com",
    "microsoft": "outlook.com hotmail.com live.com msn.com",
    "yahoo": "yahoo.com ymail.com rocketmail.com aol.com aim.com",
    "apple": "icloud.com me.com mac.com",
    "comcast": "comcast.net",
    "att": "att.net sbcglobal.net bellsouth.net",
    "verizon": "verizon.net",
    "spectrum": "charter.net rr.com",
    "cox": "cox.net",
    "proton": "proton.me protonmail.com",
    "gmx": "gmx.com gmx.net gmx.de mail.com",
    "zoho": "zoho.com zohomail.com",
}
_PROVIDER = {domain: name for name, domains in _DOMAINS.items() for domain in domains.split()}
NAMES = tuple(_DOMAINS)


def of(address: str) -> str:
    """Return the provider's name, `other`, or nothing where there is no address."""
    domain = address.rpartition("@")[2].lower()
    return _PROVIDER.get(domain, "other") if domain else ""
