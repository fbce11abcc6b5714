"""Every reason why a message may not go, or not yet: a stable code, a sentence, and a remedy."""

from __future__ import annotations

REASONS: dict[str, tuple[str, str]] = {
    "purpose_required": (
        "The message does not say what it is for.",
        "Give it one of the purposes that stand under Consent, Purposes.",
    ),
    "unknown_contact": (
        "This person is not, or no longer, among the contacts.",
        "Nothing to do; an erased person is not written to.",
    ),
    "deceased": (
        "This person has died.",
        "Nothing to do; if the record is wrong, correct it at its source.",
    ),
    "no_address": (
        "There is no address for this channel.",
        "Ask the person for one at the next visit, or use another channel.",
    ),
    "suppressed": (
        "This address is on the suppression list.",
        "A compliance officer can release it if the person asks for that.",
    ),
    "opted_out": (
        "This person said no to messages of this kind.",
        "Only the person can take that back, on the preference page or in writing.",
    ),
    "reassigned": (
        "This number was found to belong to somebody else now.",
        "Ask the person for the new number; a new signature counts from its day.",
    ),
    "do_not_call": (
        "This number is on a do-not-call list.",
        "Only a signature that names this channel would permit marketing by it.",
    ),
    "restricted": (
        "A restriction that was agreed with this person forbids it.",
        "Leave out what the restriction names; ending it needs the person's agreement or notice.",
    ),
    "confidential_channel": (
        "This person asked to get such messages by another channel only.",
        "Send it by the channel that the person asked for.",
    ),
    "confidential_address": (
        "This person asked for another address for such messages, and none is usable here.",
        "Enter the alternative address on the contact's page; the first one is never used instead.",
    ),
    "no_baa": (
        "No agreement in force covers who would carry this message.",
        "Record the business associate agreement and its services under Settings, Sending.",
    ),
    "psychotherapy_notes": (
        "It rests on psychotherapy notes.",
        "Take them out; only an authorization for such notes alone could cover them.",
    ),
    "part2_scope": (
        "It rests on substance use records, and no consent under 42 CFR Part 2 covers this use.",
        "Ask for a consent that names this purpose; one for care never covers marketing.",
    ),
    "representative_ended": (
        "Whoever would get it may not act for this person any more, or it is not known.",
        "Write to the person; check the birth date and the representative's authority.",
    ),
    "minors_own_services": (
        "State law leaves this care to the minor alone, and this is not the minor's own address.",
        "Enter the minor's own alternative address for such messages.",
    ),
    "out_of_state": (
        "State law keeps this information inside the State, and the recipient is outside.",
        "Leave it out, or write to the person alone.",
    ),
    "plain_not_agreed": (
        "This channel is not encrypted, and the person did not agree to that.",
        "Record the warning and the person's preference, or use a protected channel.",
    ),
    "refill_lapsed": (
        "The prescription lapsed more than 90 days ago.",
        "Send it as marketing, with an authorization, or leave it.",
    ),
    "new_formulation": (
        "A new formulation of a drug is marketing, not a refill reminder.",
        "Give the message the purpose marketing.",
    ),
    "class_not_allowed": (
        "Messages of this purpose may not say this of a person.",
        "Take it out of the message and its audience, or choose another purpose.",
    ),
    "no_authorization": (
        "This purpose needs a signed authorization, and there is none for it.",
        "Offer the person the authorization form.",
    ),
    "remunerated": (
        "The maker of what it describes pays for it: that is marketing, and no authorization says "
        "so.",
        "Ask for an authorization that states the payment, or send it without the payment.",
    ),
    "auth_revoked": (
        "This person withdrew the authorization.",
        "Only a new signature would permit it.",
    ),
    "auth_expired": (
        "The authorization has expired.",
        "Offer the person a new authorization form.",
    ),
    "phi_out_of_scope": (
        "The message says more about the person than the authorization covers.",
        "Take that out of the message and its audience, or ask for a wider authorization.",
    ),
    "remuneration_not_stated": (
        "Somebody pays for this message, and the authorization does not say so.",
        "Ask for an authorization whose text states the payment.",
    ),
    "no_pewc": (
        "Marketing by text message needs a written consent that names this number and channel.",
        "Offer the person the form for text messages; consent to e-mail does not count.",
    ),
    "cap_reached": (
        "This person got as many such messages as are allowed for now.",
        "Nothing to do; a message of the next period may go.",
    ),
    "never_open": (
        "The quiet hours leave no moment at which it may go.",
        "Shorten the quiet hours under Settings, Sending.",
    ),
    "in_review": (
        "This person wrote back, and nobody has read yet whether it is a no.",
        "Read it under Consent, Replies, and decide.",
    ),
    "quiet_hours": (
        "It is quiet time where this person lives.",
        "Nothing to do; it goes when the quiet is over, if its time is not over by then.",
    ),
    "cap_full": (
        "This person got as many such messages as are allowed for now.",
        "Nothing to do; it goes when there is room again, if its time is not over by then.",
    ),
}

HOLDS = frozenset({"quiet_hours", "cap_full", "in_review"})
"""Reasons to wait; the others are refusals."""
