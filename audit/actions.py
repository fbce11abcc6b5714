"""What the trail can say: each action, and the facts that may stand beside it.

A fact is a number, a yes or no, a code, or a list of codes. A code names something of ours (a
field, a data class, a state, an id): letters, digits and `._:/-`, no spaces. So no value of a
patient's record fits by accident, and an undeclared fact is refused.

Add an action here, or from another floor by `register` at import time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

CODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/+-]{0,99}", re.ASCII)
MOST_IN_A_LIST = 200

ACTIONS: dict[str, frozenset[str]] = {}


class NotForTheTrail(ValueError):
    """An entry names an unknown action, or carries what the trail must not hold."""


def register(action: str, facts: Iterable[str] = ()) -> None:
    """Declare an action and the names of the facts it may carry."""
    ACTIONS[action] = ACTIONS.get(action, frozenset()) | frozenset(facts)


def check(action: str, subject: str, outcome: str, detail: Mapping[str, Any]) -> None:
    """Raise NotForTheTrail unless everything is declared and nothing but numbers and codes."""
    allowed = ACTIONS.get(action)
    if allowed is None:
        raise NotForTheTrail(f"unknown action {action!r}: declare it in audit/actions.py")
    _check_code("outcome", outcome)
    if subject:
        _check_code("subject", subject)
    for name, fact in detail.items():
        if name not in allowed:
            raise NotForTheTrail(f"{action} carries no fact {name!r}: declare it beside the action")
        _check_fact(name, fact)


def _check_fact(name: str, fact: object) -> None:
    if isinstance(fact, bool | int):
        return
    if isinstance(fact, list | tuple):
        if len(fact) > MOST_IN_A_LIST:
            raise NotForTheTrail(f"{name} lists {len(fact)} codes; record a count instead")
        for code in fact:
            _check_code(name, code)
    else:
        _check_code(name, fact)


def _check_code(name: str, code: object) -> None:
    # The message must not repeat the value: it may be what the trail must not hold.
    if not isinstance(code, str) or not CODE.fullmatch(code):
        raise NotForTheTrail(f"{name} must be a number, a yes or no, or codes without spaces")


for _action, _facts in {
    # Staff and machines
    "staff.signed_in": "method session",
    "staff.sign_in_refused": "reason attempts",
    "staff.signed_out": "reason session",
    "staff.created": "role",
    "staff.changed": "fields role",
    "staff.disabled": "reason sessions",
    "staff.password_changed": "by",
    "staff.mfa_enrolled": "method",
    "staff.mfa_removed": "method",
    "staff.recovery_codes_made": "count",
    "staff.recovery_code_used": "left",
    "session.ended": "reason count",
    "access.refused": "permission route reason method",
    "api_key.created": "scopes prefix expires_days",
    "api_key.revoked": "prefix",
    "api_key.refused": "reason prefix",
    "organisation.created": "slug",
    "organisation.changed": "fields",
    # Keys
    "keys.created": "version",
    "keys.rotated": "version rewrapped",
    "keys.destroyed": "version",
    "keys.root_changed": "rewrapped",
    # People
    "contact.created": "source count",
    "contact.updated": "fields classes source count",
    "contact.viewed": "classes purpose",
    "contact.listed": "count page",
    "contact.revealed": "classes fields purpose count",
    "contact.searched": "kind found source",
    "contact.exported": "count classes fields format purpose",
    "contact.imported": "source format created updated unchanged problems count run",
    "contact.erased": "reason identifiers events",
    "contact.point_added": "kind use state reserved point",
    "contact.point_changed": "kind use state reserved point",
    "contact.point_removed": "kind use state reserved point",
    "contact.points_viewed": "count",
    "household.joined": "household",
    "household.left": "household",
    "representative.appointed": "kind representation",
    "representative.ended": "kind representation",
    "contact.household_viewed": "count",
    "contact.history_viewed": "count classes",
    "contact.merged": "into with merge",
    "contact.unmerged": "with merge",
    "contact.not_merged": "with reason",
    "contact.compared": "with purpose",
    "contact.duplicates_sought": "found count",
    "timeline.viewed": "count purpose",
    "import.started": "source format run",
    "import.finished": "created updated unchanged problems run",
    "import.refused": "problems run format",
    "import.checked": "new changed unchanged problems",
    "import.begun": "",
    "import.paused": "",
    "import.resumed": "",
    "import.dropped": "",
    "import.downloaded": "count",
    "import.sampled": "classes",
    "import.undo_begun": "",
    "import.undone": "removed kept restored partly",
    "events.received": "accepted duplicates source count",
    # What an organisation declares for itself
    "field.created": "type data_class labels",
    "field.changed": "fields labels",
    "field.archived": "",
    "field.restored": "",
    "field.deleted": "",
    "field.swept": "count",
    "code_group.created": "version count",
    "code_group.changed": "version added removed",
    "code_group.renamed": "version",
    "code_group.archived": "version",
    # Segments
    "segment.created": "version fields classes",
    "segment.changed": "version fields classes",
    "segment.deleted": "version",
    "segment.approval_requested": "version",
    "segment.approved": "version",
    "segment.approval_refused": "version",
    "counts.rationed": "count",
    "segment.compared": "count classes",
    "segment.reached": "count classes purpose channel",
    "segment.counted": "count fields classes clauses",
    "segment.listed": "count fields classes",
    "segment.previewed": "count fields classes clauses",
    "segment.explained": "fields classes verdict",
    "segment.refreshed": "entered left count drifted",
    "segment.followed": "contacts segments entered left",
    "segment.broken": "version",
    "segment.repaired": "version",
    "list.changed": "added removed count",
    # Consent
    "consent.recorded": "basis purposes classes channel version source",
    "consent.revoked": "purposes channel source",
    "consent.opted_out": "channel topic scope source",
    "consent.opted_in": "channel topic scope source",
    "consent.asked": "purpose channel classes permitted refused count",
    "consent.viewed": "count concerns",
    "consent.exported": "count concerns format",
    "suppression.added": "channel reason scope",
    "suppression.removed": "channel reason scope",
    # Messages
    "template.created": "version classes",
    "template.changed": "version fields classes language",
    "template.submitted": "version",
    "template.approved": "version",
    "template.reviewed": "version step verdict",
    "template.block_published": "version",
    "template.review_rules_changed": "steps",
    "template.refused": "version reason",
    "template.previewed": "template version classes language",
    "message.queued": "count purpose channel",
    "message.sent": "count route basis purpose channel classes template version attempt",
    "message.refused": "code count purpose channel",
    "message.failed": "code count attempt",
    "message.deferred": "code count attempt",
    "message.unknown": "count attempt",
    "message.viewed": "purpose classes",
    "message.picked_up": "route",
    "message.attached": "count sha256",
    "message.file_opened": "file",
    "message.recalled": "",
    "message.code_sent": "count channel",
    "message.portal_left": "",
    "message.answered": "channel",
    "message.answer_viewed": "answer",
    "message.answer_assigned": "answer count",
    "message.answer_done": "answer",
    "message.answer_reopened": "answer",
    "message.letter_written": "answer",
    "receiver.looked_up": "standing reason count",
    "receivers.viewed": "count",
    "recipient_key.added": "kind source key",
    "recipient_key.removed": "kind reason key",
    "recipient_key.viewed": "count",
    "signing_key.added": "kind fingerprint",
    "signing_key.retired": "kind fingerprint",
    "protection.proposed": "version weakens",
    "protection.changed": "version weakens",
    "protection.refused": "version",
    "protection.forecast": "count",
    "message.bounced": "code",
    "engagement.rescored": "count rules",
    "provider_feed.added": "provider",
    "provider_feed.ended": "provider",
    "provider_feed.refused": "provider",
    "message.returned": "kind class source",
    "message.return_reviewed": "",
    "message.opened": "machine",
    "message.clicked": "machine link",
    "message.unsubscribed": "channel scope one_click",
    "template.tested": "",
    "picture.uploaded": "",
    "picture.archived": "",
    "message.cancelled": "count code",
    # Campaigns
    "campaign.created": "",
    "campaign.changed": "",
    "campaign.approval_requested": "",
    "campaign.approved": "",
    "campaign.approval_refused": "",
    "campaign.launched": "",
    "campaign.paused": "",
    "campaign.resumed": "",
    "campaign.cancelled": "count",
    "campaign.drawn": "run count classes",
    "campaign.stopped": "run code count",
    "campaign.winner_named": "run variant beyond_chance",
    "campaign.finished": "run",
    "campaign.exported": "run",
    "campaign.reached": "count classes purpose",
    # Workflows
    "workflow.created": "version",
    "workflow.changed": "version",
    "workflow.published": "version nodes classes",
    "workflow.paused": "version reason count most",
    "workflow.held": "count reason",
    "workflow.brakes_set": "most_a_day floor factor",
    "workflow.resumed": "version choice count",
    "workflow.closed": "count ended_inside",
    "workflow.enrolled": "count version trigger",
    "workflow.removed": "count version reason",
    "workflow.advanced": "count version",
    "workflow.task_ended": "outcome",
    "workflow.migrated": "count version from_version",
    "workflow.simulated": "count version",
    "workflow.winner_named": "node winner",
    # The trail itself
    "trail.viewed": "count fields",
    "trail.verified": "entries batches problems",
    "trail.adopted": "epoch",
    "disclosure.recorded": "purpose basis",
    "disclosure.listed": "count",
    "report.viewed": "report count",
    "report.exported": "report count format",
    "emergency.opened": "reason minutes",
    "emergency.closed": "reason",
}.items():
    register(_action, _facts.split())
