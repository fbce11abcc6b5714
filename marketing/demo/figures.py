"""What the demo claims, worked out from the rows and from the mailbox, and whether it adds up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from consent import standing
from consent.policy import REASONS
from deploy.mailbox_store import Letter
from messaging.models import Message
from workflows import funnel
from workflows.models import Enrolment, WorkflowVersion


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold, and what was found."""

    holds: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Missed:
    """People whom the journey did not reach, by the reason and what would change it."""

    count: int
    code: str
    sentence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Figures:
    steps: Sequence[funnel.StepCount]
    fates: funnel.Fates
    missed: Sequence[Missed]
    checks: Sequence[Check]

    @property
    def add_up(self) -> bool:
        return all(check.holds for check in self.checks)


def work_out(
    version: WorkflowVersion,
    *,
    members: frozenset[int],
    letters: Sequence[Letter],
    clicked: int,
) -> Figures:
    """Read the rows again and compare them with each other and with the mails that arrived."""
    fates = funnel.fates(version.id)
    messages = list(Message.objects.filter(source=version.workflow_id))
    steps = funnel.counts(version.id)
    return Figures(
        steps=steps,
        fates=fates,
        missed=_missed(version.id),
        checks=[
            _everybody(fates, members, version.id),
            _parts(fates),
            _clicks(steps, clicked),
            _mails(messages, letters),
            _permits(messages),
            _dead(messages, members),
        ],
    )


def _missed(version_id: UUID) -> list[Missed]:
    """Group those who left without the way they were on being finished by why they left."""
    ended = Enrolment.objects.filter(version_id=version_id, state=Enrolment.State.STOPPED)
    outcomes = Counter(ended.values_list("outcome", flat=True))
    found = []
    for outcome, count in outcomes.most_common():
        code = outcome.removeprefix("refused:")
        sentence, remedy = REASONS.get(code, ("The journey was stopped.", ""))
        found.append(Missed(count, code, sentence, remedy))
    return found


def _everybody(fates: funnel.Fates, members: frozenset[int], version_id: UUID) -> Check:
    entered = frozenset(
        Enrolment.objects.filter(version_id=version_id).values_list("contact_id", flat=True)
    )
    same = entered == members and fates.enrolled == len(members)
    return Check(same, f"the {len(members)} people of the segment are the {len(entered)} enrolled")


def _parts(fates: funnel.Fates) -> Check:
    """Somebody who left without a mail and without a refusal is nowhere in the sum."""
    words = (
        f"{fates.enrolled} enrolled = {fates.reached} reached + {fates.refused} refused"
        f" + {fates.failed} failed + {fates.inside} still inside"
    )
    return Check(fates.adds_up and not fates.left, words)


def _clicks(steps: Sequence[funnel.StepCount], clicked: int) -> Check:
    heard = sum(one.ways["heard"] for one in steps)
    return Check(
        heard == clicked > 0, f"{clicked} followed the link and {heard} were taken on by it"
    )


def _mails(messages: Sequence[Message], letters: Sequence[Letter]) -> Check:
    """Each mail in the mailbox has exactly one row, and each row that says sent has its mail."""
    sent = Counter(one.message_id_header for one in messages if one.state == "sent")
    arrived = Counter(str(letter.message["Message-ID"]).strip() for letter in letters)
    same = sent == arrived and all(count == 1 for count in arrived.values())
    return Check(same, f"{arrived.total()} mails in the mailbox, each with exactly one message row")


def _permits(messages: Sequence[Message]) -> Check:
    """Nothing was sent without a permit, and nothing that was refused has one."""
    sent = [one for one in messages if one.state == "sent"]
    permitted = [one.permit for one in sent if one.permit and one.permit["basis"]]
    signed = [one for one in permitted if one["authorization"]]
    return Check(
        len(permitted) == len(sent),
        f"{len(permitted)} permits for them, {len(signed)} by a signed authorization",
    )


def _dead(messages: Sequence[Message], members: frozenset[int]) -> Check:
    known = (
        standing.read(members, now=max(one.created_at for one in messages)) if messages else None
    )
    dead = {id_ for id_, one in known.people.items() if one.deceased} if known else set()
    wrote = {one.contact_id for one in messages if one.state == "sent"} & dead
    return Check(not wrote, f"{len(dead)} of them have died, {len(wrote)} of those got a mail")
