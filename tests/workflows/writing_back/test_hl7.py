"""The written HL7 message, and what an acknowledgement means. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.writing_back import Told, hl7
from workflows.writing_back.hl7 import Answer, Envelope

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KEY = UUID("00112233-4455-4677-8899-aabbccddeeff")
TOLD = Told(7, KEY, 1, UUID(int=5), "outreach.completed", "educate", AT, "tell", UUID(int=9),
            "sent", None, "email", AT, UUID(int=3))  # fmt: skip
ADA = {"given_name": "Ada", "family_name": "O^Neil|&"}
NOTE = Envelope("EPIC", "HARBOR", "PN")


def segments(text: str) -> dict[str, list[str]]:
    return {one.split("|")[0]: one.split("|") for one in text.rstrip("\r").split("\r")}


def written(told: Told = TOLD, kind: tuple[str, str, str] = hl7.MDM) -> dict[str, list[str]]:
    return segments(hl7.message(told, kind, NOTE, ADA, [("ehr", "MRN-7")], now=AT))


def test_a_note_has_its_segments_in_the_order_of_the_standard() -> None:
    """HD-16"""
    said = written()
    assert list(said) == ["MSH", "EVN", "PID", "PV1", "TXA", "OBX"]
    assert said["MSH"][4:6] == ["EPIC", "HARBOR"] and said["MSH"][8] == "MDM^T02^MDM_T02"
    assert said["MSH"][9] == KEY.hex[:20] and said["MSH"][11] == "2.5.1"
    assert said["MSH"][17] == "UNICODE UTF-8"
    assert said["TXA"][2:4] == ["PN", "TX"] and said["TXA"][12] == f"{KEY}^ATTUNE"
    assert (said["TXA"][17], said["TXA"][19]) == ("DO", "AV")


def test_a_result_has_its_segments_in_the_order_of_the_standard() -> None:
    said = written(kind=hl7.ORU)
    assert list(said) == ["MSH", "PID", "PV1", "OBR", "OBX"]
    assert said["OBR"][4] == "outreach.completed^outreach.completed^L"
    assert (said["OBR"][7], said["OBR"][22], said["OBR"][25]) == (
        "20260302120000+0000", "20260302120000+0000", "F")  # fmt: skip
    assert said["OBX"][11] == "F"


def test_the_person_is_named_by_numbers_and_an_escaped_name() -> None:
    """HD-10"""
    said = written()["PID"]
    assert said[3] == f"MRN-7^^^ehr^MR~{UUID(int=5)}^^^ATTUNE^PI"
    assert said[5] == r"O\S\Neil\F\\T\^Ada"


def test_the_text_says_what_became_of_the_message() -> None:
    assert written()["OBX"][5] == (
        "outreach.completed. The message was sent by email on 2026-03-02 12:00 UTC."
    )
    refused = replace(TOLD, state="refused", refusal_code="no_authorization", sent_at=None)
    assert "No message was sent: no authorization." in written(refused)["OBX"][5]
    assert hl7.sentence(replace(TOLD, about="")) == "outreach.completed."


@given(st.text())
def test_no_name_ends_a_field_or_a_segment(name: str) -> None:
    said = hl7.message(TOLD, hl7.MDM, NOTE, {"family_name": name}, [], now=AT)
    assert len(segments(said)["PID"]) == 6 and said.count("\r") == 6
    assert "\n" not in said


@pytest.mark.parametrize(
    ("code", "means"),
    [("AA", Answer.ACCEPTED), ("CA", Answer.ACCEPTED), ("AE", Answer.ERROR),
     ("CE", Answer.ERROR), ("AR", Answer.REJECTED), ("XX", None), ("A", None)],
)  # fmt: skip
def test_hd01_an_acknowledgement_tells_accepted_from_error_and_rejection(
    code: str, means: Answer | None
) -> None:
    said = f"\x0bMSH|^~\\&|E||||||ACK|1|P|2.5.1\rMSA|{code}|c1\r\x1c\r".encode()
    assert hl7.answer(said, "c1") is means


@pytest.mark.parametrize("said", [b"", b"OK", b"MSH|^~\\&|E\rMSA|AA|other\r", b"\xff\xfe", b"MSH"])
def test_hd01_what_does_not_echo_the_number_acknowledges_nothing(said: bytes) -> None:
    assert hl7.answer(said, "c1") is None
