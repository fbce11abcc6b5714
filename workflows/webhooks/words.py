"""Why a call came to nothing, in words. Pure."""

from __future__ import annotations

_WORDS = {
    "host_not_allowed": "the host is not in CALL_HOSTS",
    "name_not_found": "the name of the host has no address",
    "address_not_public": "the host stands in a network that is not public",
    "tls_unverified": "the certificate of the host could not be verified",
    "connect_failed": "nobody answers there",
    "no_connection": "the line broke before an answer came",
    "too_slow": "the answer took too long",
    "answer_too_large": "the answer was too large",
    "answer_unusable": "a value in the answer does not fit its field",
    "redirected": "it points elsewhere, and calls follow no redirect",
    "class_not_allowed": "it may not be told this",
    "no_agreement": "no agreement is in force",
    "no_recipient": "its settings name no recipient",
    "erased": "the person was erased",
    "no_acknowledgement": "it answered without an HL7 acknowledgement of the message",
    "acknowledged_error": "it acknowledged with an error (AE)",
    "acknowledged_rejected": "it rejects messages at the moment (AR)",
    "time_over": "the time of the step was over",
}


def in_words(code: str) -> str:
    """Return what a code of an answer means."""
    if code.startswith("status_"):
        return f"it answered with status {code.removeprefix('status_')}"
    return _WORDS.get(code, code.replace("_", " "))
