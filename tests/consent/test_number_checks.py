"""TC-06: numbers that changed hands, and do-not-call lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Organisation, User
from audit.models import Entry
from consent import gate, ledger
from consent.choices import number_checks
from consent.choices.number_checks import Asked
from consent.choices.suppression_files import FileRefused, Took
from consent.models import Suppression
from consent.policy import Refusal
from consent.sending import terms
from tests.conftest import NOON
from tests.messaging.conftest import person

DAY = datetime(2026, 3, 2, 19, 0, tzinfo=UTC)
ADA = "+16175550101"


def sign(contact: int, *, at: datetime = NOON) -> None:
    everything = frozenset({"identity", "contact_point", "clinical", "engagement"})
    ledger.record_authorizations(
        [
            ledger.Signing(
                contact,
                frozenset({"marketing"}),
                everything,
                signed_at=at,
                expires_on=date(2030, 1, 1),
                channels=frozenset({"sms"}),
            )
        ],
        received_by="paper",
        now=at,
    )


@pytest.fixture
def ada(at_harbor: Organisation) -> int:
    """Signed for texts."""
    terms.record_carrier("sms", name="Own", own=True, now=NOON)
    number = person("ada", phone="(617) 555-0101")
    sign(number)
    return number


def code(contact: int, *, now: datetime = DAY) -> str:
    (said,) = gate.ask([gate.GateRequest(contact, "marketing", "sms")], now=now)
    return said.code if isinstance(said, Refusal) else ""


def answered(words: str) -> number_checks.Checked:
    return number_checks.take_answers(words.encode(), received_by="file", now=DAY)


def listed(words: str, reason: str = "do_not_call") -> Took:
    return number_checks.take_list(words.encode(), reason=reason, received_by="file", now=DAY)


def test_the_file_has_who_agreed_and_since_when(ada: int) -> None:
    person("ben", phone="617-555-0102")
    assert number_checks.file() == "6175550101,2026-03-02\r\n"
    assert Entry.objects.filter(action="numbers.handed_out").count() == 1


def test_the_last_consent_counts(ada: int) -> None:
    sign(ada, at=NOON + timedelta(days=5))
    assert "2026-03-07" in number_checks.file()


def test_a_number_that_changed_hands_gets_no_texts(ada: int) -> None:
    checked = answered("6175550101,2026-03-02,yes\n6175550102,2026-03-02,no\n")
    assert (checked.answers, checked.reassigned, code(ada)) == (2, 1, "reassigned")


@pytest.mark.parametrize("said", ["no", "no data", "No"])
def test_any_other_answer_changes_nothing(ada: int, said: str) -> None:
    assert answered(f"6175550101,2026-03-02,{said}\n").reassigned == 0
    assert code(ada) == ""


def test_a_signature_that_is_younger_outweighs_the_answer(ada: int) -> None:
    answered("6175550101,2026-03-02,yes\n")
    sign(ada, at=DAY + timedelta(days=1))
    assert code(ada, now=DAY + timedelta(days=2)) == ""


def test_what_cannot_be_read_is_told_by_line_without_the_number(ada: int) -> None:
    checked = answered("number,date,answer\n6175550101,2026-03-02,perhaps\n123,2026-03-02,yes\n")
    assert [line for line, _ in checked.faults] == [2, 3]
    assert not any("617" in why or "123" in why for _, why in checked.faults)


def test_who_never_signed_is_stopped_by_a_do_not_call_list(at_harbor: Organisation) -> None:
    terms.record_carrier("sms", name="Own", own=True, now=NOON)
    eve = person("eve", phone="617-555-0105")
    assert listed("617,5550105\n").added == 1
    assert code(eve) == "do_not_call"


def test_a_signature_that_names_texts_outweighs_a_do_not_call_list(ada: int) -> None:
    listed("617-555-0101\n")
    assert code(ada) == ""


def test_a_do_not_call_list_does_not_hide_that_a_number_changed_hands(ada: int) -> None:
    listed("6175550101\n")
    answered("6175550101,2026-03-02,yes\n")
    assert code(ada) == "reassigned"


def test_a_list_twice_is_a_list_once(ada: int) -> None:
    listed("6175550101\n")
    again = listed("6175550101\n")
    assert (again.added, again.known, Suppression.objects.count()) == (0, 1, 1)


def test_a_list_for_another_reason_is_refused(ada: int) -> None:
    with pytest.raises(FileRefused):
        listed("6175550101\n", reason="staff")


class Database:
    """Says that everybody's number changed hands."""

    def reassigned(self, asked: Sequence[Asked]) -> Mapping[str, bool | None]:
        return {one.number: True for one in asked}


def test_an_adapter_is_asked_about_everybody(ada: int) -> None:
    checked = number_checks.ask(Database(), received_by="adapter", now=DAY)
    assert (checked.answers, checked.reassigned, code(ada)) == (1, 1, "reassigned")


def test_the_command_asks_the_adapter_that_is_named(ada: int, settings: Any) -> None:
    settings.NUMBER_CHECK = "tests.consent.test_number_checks.Database"
    call_command("check_numbers", organisation="harbor")
    assert Suppression.objects.get().reason == "reassigned"


def test_the_command_writes_and_reads_files(ada: int, tmp_path: Path) -> None:
    out = tmp_path / "numbers.csv"
    call_command("check_numbers", organisation="harbor", write=out)
    answers = tmp_path / "answers.csv"
    answers.write_text(out.read_text().strip() + ",yes\n")
    call_command("check_numbers", organisation="harbor", read=answers)
    assert code(ada) == "reassigned"


def test_the_command_without_a_way_says_what_to_do(ada: int) -> None:
    with pytest.raises(CommandError, match="NUMBER_CHECK"):
        call_command("check_numbers", organisation="harbor")


# Pages and API

SignIn = Callable[[User], Client]


def test_the_page_takes_answers(ada: int, omar: User, sign_in_as: SignIn) -> None:
    file = BytesIO(b"6175550101,2026-03-02,yes\n")
    file.name = "answers.csv"
    said = sign_in_as(omar).post("/consent/numbers/answers/", {"file": file})
    assert "1 number changed hands" in said.content.decode()
    assert code(ada) == "reassigned"


def test_who_may_not_record_takes_nothing_in(ada: int, mara: User, sign_in_as: SignIn) -> None:
    file = BytesIO(b"6175550101\n")
    file.name = "list.csv"
    given = {"file": file, "reason": "do_not_call"}
    assert sign_in_as(mara).post("/consent/numbers/list/", given).status_code == 403
    assert not Suppression.objects.exists()


def test_another_organisation_gets_none_of_our_numbers(
    ada: int, ivy: User, sign_in_as: SignIn
) -> None:
    said = sign_in_as(ivy).post("/consent/numbers/file/")
    assert b"6175550101" not in said.content
