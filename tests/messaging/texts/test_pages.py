"""Writing texts, trying them, and setting up their gateways, on the pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from deploy.phone_store import key_of
from messaging.models import Message, Pool, Template, TemplateVersion
from tests.conftest import NOON
from tests.messaging.texts.conftest import ADA, REMINDER, SECRET, Line, order, send, text_template

SignIn = Callable[[User], Client]


@pytest.fixture
def maker(mara: User, sign_in_as: SignIn) -> Client:
    return sign_in_as(mara)


@pytest.fixture
def admin(at_harbor: Organisation, sign_in_as: SignIn) -> Client:
    made = staff.add("al@harbor.example", name="Al Ng", role=Role.ADMINISTRATOR, now=NOON)
    return sign_in_as(made)


def page(client: Client, address: str, **more: Any) -> str:
    return client.get(address, **more).content.decode()


def test_a_text_is_begun_and_stays_one(maker: Client, at_harbor: Organisation) -> None:
    given = {"name": "Reminder", "purpose": "appointment", "channel": "sms"}
    answer = maker.post("/templates/", given)
    made = Template.objects.get()
    assert (answer.status_code, made.channel, made.mjml) == (302, "sms", "")
    assert "Nothing protects a text" in page(maker, f"/templates/{made.id}/")


def test_a_mail_is_what_a_template_is_unless_said_otherwise(
    maker: Client, at_harbor: Organisation
) -> None:
    maker.post("/templates/", {"name": "News", "purpose": "marketing"})
    assert Template.objects.get().channel == "email"


def test_the_length_is_shown_while_one_writes(maker: Client, at_harbor: Organisation) -> None:
    draft = text_template()
    given = {"name": "Reminder", "purpose": "appointment", "text": REMINDER}
    said = maker.post(f"/templates/{draft.id}/problems/", given).content.decode()
    assert "83 characters, 1 part in GSM-7" in said


def test_what_is_wrong_is_shown_while_one_writes(maker: Client, at_harbor: Organisation) -> None:
    draft = text_template()
    given = {"name": "Reminder", "purpose": "appointment", "text": "Come."}
    said = maker.post(f"/templates/{draft.id}/problems/", given).content.decode()
    assert "says who sends it" in said


def test_the_draft_is_tried_on_a_phone(maker: Client, carried: Line) -> None:
    draft = text_template()
    maker.post(f"/templates/{draft.id}/test-text/", {"number": "617 555 0177"})
    assert len(carried.words("+16175550177")) == 1
    assert not Message.objects.exists()


def test_a_trial_without_a_country_is_refused(maker: Client, carried: Line) -> None:
    draft = text_template()
    maker.post(f"/templates/{draft.id}/test-text/", {"number": "0161 496 0000"})
    assert carried.phone.store.texts() == []


def test_another_organisation_tries_nothing_of_ours(
    ivy: User, sign_in_as: SignIn, carried: Line
) -> None:
    draft = text_template()
    answer = sign_in_as(ivy).post(f"/templates/{draft.id}/test-text/", {"number": ADA})
    assert answer.status_code in (403, 404)
    assert carried.phone.store.texts() == []


def test_who_may_not_write_tries_nothing(omar: User, sign_in_as: SignIn, carried: Line) -> None:
    draft = text_template()
    answer = sign_in_as(omar).post(f"/templates/{draft.id}/test-text/", {"number": ADA})
    assert (answer.status_code, carried.phone.store.texts()) == (403, [])


def test_the_preview_is_a_phone(maker: Client, reminder: TemplateVersion) -> None:
    said = page(maker, f"/templates/{reminder.template_id}/versions/1/")
    assert "On a phone" in said
    assert "83 characters, 1 part" in said


def test_the_flow_says_that_it_is_in_the_open(maker: Client, at_harbor: Organisation) -> None:
    """W8"""
    draft = text_template(
        "{{ organisation.name }}: {{ contact.gender | default('x') }} 617-555-0000 STOP",
        declared=["gender"],
    )
    assert "In the open" in page(maker, f"/templates/{draft.id}/flow/")


def test_the_message_page_knows_the_channel(
    maker: Client, carried: Line, ada: int, reminder: TemplateVersion
) -> None:
    order(reminder, ada)
    send()
    carried.report()
    said = page(maker, f"/messages/{Message.objects.get().public_id}/")
    assert "By text message" in said
    assert "Handed over to the text gateway" in said
    assert "Delivered" in said


# Pools

GATEWAY = {
    "carrier": "webhook",
    "number": "+16175550000",
    "url": "https://gateway.example/messages",
    "secret": SECRET,
    "own": "on",
    "connections": "4",
}


def save(client: Client, kind: str = "texts", **more: str) -> Any:
    return client.post(f"/settings/pools/{kind}/", GATEWAY | more)


def test_a_gateway_is_set_up_and_its_secret_sealed(admin: Client, settings: Any) -> None:
    settings.CALL_HOSTS = ["gateway.example"]
    assert save(admin).status_code == 302
    row = Pool.objects.get()
    assert (row.carrier, row.url, row.secret) == ("webhook", GATEWAY["url"], SECRET)
    assert SECRET not in page(admin, "/settings/pools/texts/")


def test_a_host_that_is_not_allowed_is_refused(admin: Client) -> None:
    """SE-18"""
    answer = save(admin)
    assert answer.status_code == 422
    assert "CALL_HOSTS" in answer.content.decode()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"number": "hello, world"}, "number"),
        ({"number": ""}, "number"),
        ({"secret": "short"}, "secret"),
        ({"secret": ""}, "secret"),
        ({"own": ""}, "agreement_from"),
        ({"carrier": "provider"}, "user"),
    ],
)
def test_what_a_gateway_lacks_is_named(
    admin: Client, settings: Any, given: dict[str, str], field: str
) -> None:
    settings.CALL_HOSTS = ["gateway.example"]
    answer = save(admin, **given)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors


def test_twilio_is_set_up_by_its_account(admin: Client) -> None:
    answer = save(
        admin, carrier="provider", user="AC" + "0" * 32, secret="t", own="",
        agreement_from="2026-01-01",
    )  # fmt: skip
    assert answer.status_code == 302
    assert Pool.objects.get().provider == "twilio"


def test_a_mail_pool_chooses_a_provider(admin: Client) -> None:
    given = {
        "carrier": "provider", "provider": "mailgun", "secret": "key", "port": "587",
        "security": "starttls", "onward": "opportunistic", "connections": "4",
        "warm_up_first": "50",
    }  # fmt: skip
    assert admin.post("/settings/pools/marketing/", given).status_code == 302
    assert Pool.objects.get().provider == "mailgun"


def test_a_providers_api_is_its_own(admin: Client) -> None:
    """SE-18"""
    given = {
        "carrier": "provider", "provider": "mailgun", "secret": "key", "port": "587",
        "security": "starttls", "onward": "opportunistic", "connections": "4",
        "warm_up_first": "50", "url": "https://evil.example/v3",
    }  # fmt: skip
    answer = admin.post("/settings/pools/marketing/", given)
    assert "url" in answer.context["form"].errors


def test_who_may_not_manage_changes_no_gateway(maker: Client, settings: Any) -> None:
    settings.CALL_HOSTS = ["gateway.example"]
    assert save(maker).status_code == 403
    assert not Pool.objects.exists()


# The sample's phones


@pytest.fixture
def sample(carried: Line, settings: Any) -> Path:
    settings.SAMPLE, settings.ATTUNE_PHONES = True, carried.phone.folder
    return carried.phone.folder


def test_a_text_is_read_on_its_phone(
    sample: Path, maker: Client, ada: int, reminder: TemplateVersion
) -> None:
    order(reminder, ada)
    send()
    assert ADA in page(maker, "/phones/")
    assert "your visit is coming up" in page(maker, f"/phones/{key_of(ADA)}/")


def test_what_is_written_on_a_phone_reaches_the_gateway(
    sample: Path, maker: Client, carried: Line, ada: int, reminder: TemplateVersion
) -> None:
    order(reminder, ada)
    send()
    carried.report()
    maker.post(f"/phones/{key_of(ADA)}/", {"words": "Thanks"})
    (said,) = [body for _, body, _ in carried.reports]
    assert b"Thanks" in said


def test_there_are_no_phones_outside_the_sample(maker: Client, carried: Line) -> None:
    assert maker.get("/phones/").status_code == 404


def test_a_phone_that_nobody_wrote_to_is_not_there(sample: Path, maker: Client) -> None:
    assert maker.get("/phones/nobody/").status_code == 404


def test_pools_of_another_organisation_are_its_own(
    admin: Client, hill: Organisation, settings: Any
) -> None:
    settings.CALL_HOSTS = ["gateway.example"]
    save(admin)
    with tenancy.acting_for(hill.pk):
        assert not Pool.objects.exists()
