"""Why a message was not sent, or not yet: each code in a sentence, and what would change it."""

from __future__ import annotations

from dataclasses import dataclass

from consent import policy


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    sentence: str
    remedy: str


OWN = {
    "template_not_approved": (
        "Nobody approved this version of the template.",
        "Have another person than its author approve it.",
    ),
    "too_late": (
        "Its time was over before it could be sent.",
        "If it still makes sense, start the step again for this person.",
    ),
    "merge_value_missing": (
        "The template prints a field that this person's record does not have.",
        "Give the field a default in the template, or complete the record at its source.",
    ),
    "merge_value_unusable": (
        "A field of this person's record cannot be printed the way the template asks.",
        "Look at the filters of the template's dates.",
    ),
    "merged_too_long": (
        "With this person's values the mail would be far longer than any program shows.",
        "Shorten the template's loops, or print the first of a list.",
    ),
    "workflow_closed": (
        "The workflow that it belonged to was closed, and everybody inside left.",
        "Nothing to do.",
    ),
    "erased": (
        "The person was erased while it waited.",
        "Nothing to do; an erased person is not written to.",
    ),
    "campaign_cancelled": (
        "The campaign that it belonged to was cancelled.",
        "Nothing to do. A copy of the campaign can be launched anew.",
    ),
    "no_birth_date": (
        "It would wait on the portal, where the person shows who they are by the date of birth; "
        "none is known.",
        "Add the date of birth to the record, or the person's key, and send it again.",
    ),
    "no_protected_way": (
        "No way that the protection policy allows can be gone for this person.",
        "Add their key, or allow the portal under Settings, Protection.",
    ),
    "receiver_defers": (
        "The recipient's mail server cannot be verified, and its own rules forbid to deliver so.",
        "See Run, Receivers; it is tried again until the message's time is over.",
    ),
    "receiver_unknown": (
        "What the recipient's mail server can do is being looked up.",
        "Nothing to do; it goes as soon as that is known.",
    ),
    "address_unusable": (
        "The e-mail address cannot stand in a mail.",
        "Correct it at its source.",
    ),
    "smtputf8_required": (
        "The address has letters that the mail relay cannot carry.",
        "Use a relay with SMTPUTF8, or ask the person for another address.",
    ),
    "rejected": (
        "The mail server refused it for good.",
        "Look at the reply's code; an unknown mailbox (5.1.1) is suppressed from now on.",
    ),
    "condition_broken": (
        "A condition of the template refers to a segment, list or code group that is broken.",
        "Mend what it refers to; the message is tried again until its time is over.",
    ),
    "server_said_later": (
        "The mail server said: not now.",
        "Nothing to do; it is tried again until its time is over.",
    ),
    "connect_failed": (
        "The mail relay could not be reached.",
        "Nothing was lost. Look whether the relay runs; it is tried again every few seconds.",
    ),
    "connection_lost": (
        "The line to the mail relay broke before the mail was handed over.",
        "Nothing to do; it is tried again.",
    ),
    "tls_unverified": (
        "The relay's certificate could not be verified, and nothing goes in the clear.",
        "Check the relay's name and SMTP_CA_FILE; until then the message waits.",
    ),
    "sign_in_failed": (
        "The relay, gateway or provider refused the account.",
        "Check its user name and key under Settings, Pools, or SMTP_USER and SMTP_PASSWORD.",
    ),
    "no_answer": (
        "The mail was handed over, and no answer came: it may have been delivered.",
        "It is compared with the relay's log by itself where SMTP_LOG names one, else by "
        "manage.py reconcile. It is never resent blindly.",
    ),
    "address_changed": (
        "The person's address changed after it could not be delivered, and nothing that says "
        "something of a person follows to a new address by itself.",
        "Verify the address by another channel, then send it again under Delivery, Not delivered.",
    ),
    "pool_pace": (
        "Its pool sends no more a minute.",
        "Nothing to do; the limit stands under Settings, Pools.",
    ),
    "destination_pace": (
        "The person's mailbox provider gets no more a minute from this pool.",
        "Nothing to do; the limit stands under Settings, Pools.",
    ),
    "warming_up": (
        "The pool's address is new, and providers get a little more of it every day.",
        "Nothing to do; the plan stands under Settings, Pools.",
    ),
    "best_hour": (
        "It waits for the hour at which this person opened mails before.",
        "Nothing to do; the choice stands under Settings, Pools.",
    ),
    "send_window": (
        "It waits for its pool's send window by the recipient's clock.",
        "Nothing to do; the window stands under Settings, Pools.",
    ),
    "skipped_after_pause": (
        "It waited behind a pause, and whoever resumed chose to skip what waited.",
        "If it still makes sense, start the step again for this person.",
    ),
    "provider_cannot": (
        "The provider's API cannot carry a mail of this kind.",
        "Send it by a relay; the pool's carrier stands under Settings, Pools.",
    ),
    "never_by_text": (
        "A text message is open, and this is only shown on the portal.",
        "Send it as a mail, or take that information out of the text and its audience.",
    ),
    "text_too_long": (
        "With this person's values the text would be longer than one may be.",
        "Shorten the template; health care texts have at most 160 characters.",
    ),
    "number_unusable": (
        "The number cannot get text messages.",
        "Correct it at its source, or write by another channel.",
    ),
    "no_gateway": (
        "No gateway for text messages is set up.",
        "Choose one under Settings, Pools; until then the message waits.",
    ),
    "host_not_allowed": (
        "The gateway's host is none that this installation may call.",
        "Add it to CALL_HOSTS; until then the message waits.",
    ),
    "address_not_public": (
        "The gateway's name leads to an address inside a private network.",
        "Correct its address under Settings, Pools; until then the message waits.",
    ),
    "no_such_mailbox": (
        "The gateway says that nobody has this mailbox.",
        "Ask the person for another address.",
    ),
    "gateway_refused": (
        "The gateway refused it for good.",
        "Look at the reply's code in the gateway's own documentation.",
    ),
    "not_delivered": (
        "The carrier said that it could not be delivered.",
        "Look at the code; a number that nobody has is suppressed from now on.",
    ),
    "carrier_blocked": (
        "The carrier took it for unwanted and did not deliver it.",
        "Register the number and its use with the gateway, and look at the wording.",
    ),
    "never_by_mail": (
        "It holds information that never leaves by mail.",
        "Take that information out of the message and its audience.",
    ),
}
_UNNAMED = (
    "The mail relay ended the conversation.",
    "Nothing to do; it is tried again until its time is over.",
)


def explain(code: str) -> Reason | None:
    """Return the sentence and the remedy for a message's code; None where there is no code."""
    if not code:
        return None
    sentence, remedy = OWN.get(code) or policy.REASONS.get(code) or _UNNAMED
    return Reason(code, sentence, remedy)
