"""Look at a sending domain as a receiver does, and say what to mend."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from messaging.preflight import dmarc, spf
from messaging.preflight.dns import Names, Once, Unanswered, tags

State = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a receiver looks at: how it stands, what was found, what to do."""

    what: str
    state: State
    found: str
    advice: str = ""

    def stored(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Sending:
    """How a domain sends: what to look for."""

    domain: str
    addresses: Sequence[str]
    """The addresses from which the relay reaches receivers."""
    signs_as: str = ""
    selector: str = ""
    public_key: bytes = b""
    """DER of the key that signs, to compare with the published one."""


def look(sending: Sending, *, names: Names, tls: Callable[[], str]) -> list[Finding]:
    """Return the findings; `tls` says why the line to the relay is not safe, or nothing."""
    once = Once(names)
    looks: tuple[tuple[str, Callable[[Sending, Names], Finding]], ...] = (
        ("SPF", _spf),
        ("DKIM", _dkim),
        ("DMARC", _dmarc),
        ("Names of the addresses", _ptr),
        ("Mail to this domain", _mx),
    )
    found = []
    for what, one in looks:
        try:
            found.append(one(sending, once))
        except Unanswered as silent:
            advice = "Look again later; where it stays so, ask whoever runs the domain's DNS."
            found.append(Finding(what, "bad", str(silent), advice))
    return [*found, _tls(tls())]


def passes(findings: Sequence[Finding]) -> bool:
    return all(one.state != "bad" for one in findings)


def _spf(sending: Sending, names: Names) -> Finding:
    if not sending.addresses:
        advice = "Say from which addresses the relay sends: SENDING_ADDRESSES, or --address."
        return Finding("SPF", "warn", "The relay's own addresses are not known.", advice)
    for address in sending.addresses:
        check = spf.Check(address, names)
        try:
            result = check.result(sending.domain)
        except spf.Broken as broken:
            return Finding("SPF", "bad", str(broken), "Mend the record.")
        if result == "none":
            advice = f'Publish TXT at {sending.domain}: "v=spf1 ip4:{address} -all".'
            return Finding("SPF", "bad", "There is no record.", advice)
        if result != "pass":
            advice = f"Add ip{'6' if ':' in address else '4'}:{address} to the record."
            return Finding("SPF", "bad", f"{address} is not among the senders ({result}).", advice)
    return Finding("SPF", "ok", f"{', '.join(sending.addresses)} may send.")


def _dkim(sending: Sending, names: Names) -> Finding:
    if not sending.signs_as:
        advice = "Set DKIM_DOMAIN, DKIM_SELECTOR and DKIM_KEY_FILE."
        return Finding("DKIM", "bad", "Mails are not signed.", advice)
    at = f"{sending.selector}._domainkey.{sending.signs_as}"
    published = [tags(one) for one in names.txt(at)]
    key = next((one["p"] for one in published if one.get("p")), "")
    ours = base64.b64encode(sending.public_key).decode()
    if not key:
        advice = f'Publish TXT at {at}: "v=DKIM1; k=rsa; p={ours}".'
        return Finding("DKIM", "bad", f"No key is published at {at}.", advice)
    if _der(key) != sending.public_key:
        advice = f"Publish p={ours}, or sign with the key that is published."
        return Finding("DKIM", "bad", f"Another key is published at {at} than signs.", advice)
    return Finding("DKIM", "ok", f"The key at {at} is ours, RSA {_bits(key)}.")


def _der(key: str) -> bytes:
    try:
        return base64.b64decode("".join(key.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _bits(key: str) -> int:
    loaded = load_der_public_key(_der(key))
    return loaded.key_size if isinstance(loaded, RSAPublicKey) else 0


def _dmarc(sending: Sending, names: Names) -> Finding:
    found = dmarc.find(sending.domain, names)
    record = found.record
    if record is None:
        advice = (
            f'Publish TXT at _dmarc.{found.organisational}: "v=DMARC1; p=none; '
            f'rua=mailto:dmarc@{found.organisational}", read the reports, then ask for more.'
        )
        return Finding("DMARC", "bad", "There is no record.", advice)
    strict = record.strict_dkim
    signs = sending.signs_as
    if not signs or not dmarc.aligned(signs, sending.domain, strict=strict, names=names):
        how = "exactly" if strict else "an organisational domain in common with"
        advice = f"Sign as {sending.domain}: the record at {record.domain} wants {how} it."
        return Finding("DMARC", "bad", f"Mails signed as {signs or 'nobody'} do not align.", advice)
    demanded = record.demands(sending.domain)
    said = f"The record at {record.domain} asks for {demanded}; our signature aligns."
    if demanded == "none":
        return Finding("DMARC", "warn", said, "Once the reports are clean, ask for quarantine.")
    if not record.reports:
        return Finding("DMARC", "warn", said, "Add rua=mailto:…, or you never hear of misuse.")
    return Finding("DMARC", "ok", said)


def _ptr(sending: Sending, names: Names) -> Finding:
    what = "Names of the addresses"
    if not sending.addresses:
        return Finding(what, "warn", "The relay's own addresses are not known.", "See SPF.")
    for address in sending.addresses:
        hosts = names.ptr(address)
        if not hosts:
            advice = "Ask whoever gave you the address for a PTR record with the relay's name."
            return Finding(what, "bad", f"{address} has no name.", advice)
        if not any(address in names.addresses(host) for host in hosts):
            advice = f"Let {hosts[0]} have the address {address}, or change the PTR record."
            return Finding(what, "bad", f"{hosts[0]} does not lead back to {address}.", advice)
    return Finding(what, "ok", "Each address has a name that leads back to it.")


def _mx(sending: Sending, names: Names) -> Finding:
    what = "Mail to this domain"
    hosts = names.mx(sending.domain) or names.addresses(sending.domain)
    if not hosts:
        advice = "Publish an MX record: bounces, answers and complaints must reach somebody."
        return Finding(what, "bad", "Nothing takes mail for it.", advice)
    return Finding(what, "ok", f"Taken by {hosts[0]}.")


def _tls(code: str) -> Finding:
    what = "Line to the relay"
    if code:
        advice = "Check the relay's name, its certificate and SMTP_CA_FILE; until then mail waits."
        return Finding(what, "bad", f"It is not safe: {code}.", advice)
    return Finding(what, "ok", "TLS 1.2 or later, certificate and name verified; or this machine.")
