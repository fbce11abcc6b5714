"""Was it a person or a program? A visit waits for what comes after it, and can be judged again."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Organisation
from audit.models import Entry
from contacts import erase
from contacts.models import Event
from messaging import dispatch
from messaging.hearing import visits
from messaging.hearing.visits import Came
from messaging.machines import Trace, together
from messaging.models import Message, Visit
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue
from tests.messaging.test_machines import FIREFOX

READ = NOON + timedelta(hours=1)
SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/17.4 Safari/605.1.15"
)


@pytest.fixture
def sent(ada: int, enqueue: Enqueue, memory: Memory) -> Message:
    enqueue([ada])
    dispatch.run_once(transport=memory, now=NOON)
    return Message.objects.select_related("version").get()


def click(message: Message, number: int = 0, *, agent: str = FIREFOX, after: float = 0) -> None:
    at = READ + timedelta(seconds=after)
    visits.note(message, "message.clicked", Came(agent), number=number, now=at)


def settle(after: float = 120) -> int:
    return visits.run_once(now=READ + timedelta(seconds=after))


def told() -> list[tuple[str, bool]]:
    rows = Event.objects.filter(kind__startswith="message.").exclude(kind="message.sent")
    return list(rows.order_by("occurred_at").values_list("kind", "machine"))


def test_tr05_a_click_drives_nothing_until_a_minute_has_shown_what_follows(sent: Message) -> None:
    click(sent)
    assert settle(after=59) == 0 and told() == []
    assert settle(after=60) == 1 and told() == [("message.clicked", False)]
    event = Event.objects.get(kind="message.clicked")
    assert (event.occurred_at, event.link) == (READ, "how to eat well")


def test_tr05_what_is_surely_a_program_is_settled_at_once(sent: Message) -> None:
    click(sent, agent="curl/8.0")
    assert told() == [("message.clicked", True)]
    assert Visit.objects.get().verdict == "machine"


def test_tr05_later_links_show_that_the_first_was_a_scanners(sent: Message) -> None:
    for place, number in enumerate((0, 1, 0)):
        click(sent, number, after=place * 0.3)
    settle()
    assert told() == [("message.clicked", True)] * 3
    assert all("burst" in row.evidence for row in Visit.objects.all())


def test_a_second_agent_makes_a_visit_unclear_and_keeps_the_evidence(sent: Message) -> None:
    click(sent)
    click(sent, agent=SAFARI, after=20)
    settle()
    row = Visit.objects.order_by("at").first()
    assert row is not None
    assert (row.verdict, row.evidence) == ("unclear", ["second_agent"])
    assert told() == [("message.clicked", False)] * 2


def test_all_links_of_a_mail_within_seconds_are_a_programs() -> None:
    traces = [Trace(READ + timedelta(seconds=3 * n), n, b"a") for n in range(3)]
    assert together(traces[0], traces, links=3) == ("all_links",)
    assert together(traces[0], traces, links=4) == ()
    assert together(traces[0], traces[:1], links=1) == ()


def test_clicks_minutes_apart_by_one_agent_are_a_persons(sent: Message) -> None:
    click(sent)
    click(sent, 1, after=90)
    settle(after=200)
    assert told() == [("message.clicked", False)] * 2


def test_a_visit_that_is_judged_again_changes_its_event_and_writes_no_other(
    sent: Message,
) -> None:
    """TR-05: rules changed since; nobody is moved a second time, for there is no second event."""
    click(sent)
    settle()
    written = Event.objects.get(kind="message.clicked").pk
    row = Visit.objects.get()
    row.agent, row.rules = "NewScanner/1.0 (+https://scanner.example)", 1
    row.save()
    assert visits.again(since=NOON, now=READ + timedelta(days=1)) == 1
    assert settle(after=100_000) == 1
    event = Event.objects.get(kind="message.clicked")
    assert (event.pk, event.machine) == (written, True)
    assert Visit.objects.get().verdict == "machine"
    assert Entry.objects.filter(action="engagement.rescored").exists()


def test_a_command_judges_again_and_says_what_changed(sent: Message) -> None:
    click(sent)
    settle()
    row = Visit.objects.get()
    row.agent, row.at = "curl/8.0", timezone.now() - timedelta(days=1)
    row.save()
    said = StringIO()
    call_command("judge_again", "harbor", stdout=said)
    assert said.getvalue().strip() == "1 were judged, 1 differently than before"


def test_what_is_judged_again_and_comes_out_the_same_stays(sent: Message) -> None:
    click(sent)
    settle()
    visits.again(since=NOON, now=READ + timedelta(days=1))
    settle(after=100_000)
    assert told() == [("message.clicked", False)]
    assert settle(after=200_000) == 0


def test_tr03_the_agent_is_forgotten_and_the_verdict_is_not(sent: Message) -> None:
    click(sent)
    settle()
    assert visits.forget_agents(now=READ + timedelta(days=29)) == 0
    assert visits.forget_agents(now=READ + timedelta(days=31)) == 1
    row = Visit.objects.get()
    assert (row.agent, row.verdict) == (None, "human")
    visits.again(since=NOON, now=READ + timedelta(days=32))
    visits.run_once(now=READ + timedelta(days=32))
    assert Visit.objects.get().verdict == "human"


def test_an_erased_persons_agent_goes_and_nothing_new_is_kept(sent: Message, ada: int) -> None:
    click(sent)
    erase.erase(ada, now=READ)
    assert Visit.objects.get().agent is None
    settle()
    assert told() == []
    click(sent, after=300)
    assert Visit.objects.count() == 1


def test_a_hundred_visits_are_settled_with_as_many_statements_as_one(
    sent: Message, django_assert_max_num_queries: object, at_harbor: Organisation
) -> None:
    for second in range(100):
        click(sent, second % 2, after=2 * second)
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        assert settle(after=1000) == 100
