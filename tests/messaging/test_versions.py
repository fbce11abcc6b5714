from __future__ import annotations

import pytest
from django.db import IntegrityError, InternalError, transaction
from django.db.utils import DatabaseError

from accounts.models import Organisation
from audit.actor import Actor, acting_as
from contacts import custom_fields
from messaging import versions
from messaging.models import Link, TemplateVersion
from messaging.templates_compile import TemplateInvalid
from tests.conftest import NOON
from tests.messaging.conftest import approved, template
from tests.messaging.mails import BODY, FOOT, mjml


def test_saving_compiles_and_numbers_a_version(at_harbor: Organisation) -> None:
    version = versions.save(template(), now=NOON)
    assert (version.number, version.data_classes, len(version.sha256)) == (1, ["identity"], 64)
    assert [link.destination for link in version.links.all()] == [
        "https://harbor.example/eat?a=1&b=2",
        "https://harbor.example/class",
    ]


def test_saving_the_same_again_makes_no_new_version(at_harbor: Organisation) -> None:
    draft = template()
    assert versions.save(draft, now=NOON) == versions.save(draft, now=NOON)


def test_saving_a_change_makes_the_next_number(at_harbor: Organisation) -> None:
    draft = template()
    versions.save(draft, now=NOON)
    draft.subject += "!"
    assert versions.save(draft, now=NOON).number == 2


def test_a_broken_draft_makes_no_version(at_harbor: Organisation) -> None:
    with pytest.raises(TemplateInvalid):
        versions.save(template(subject="{{ contact.given_name }}"), now=NOON)
    assert not TemplateVersion.objects.exists()


@pytest.mark.parametrize("act", ["update", "delete"])
def test_the_database_refuses_to_change_a_version(version: TemplateVersion, act: str) -> None:
    row = TemplateVersion.objects.filter(id=version.id)
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        row.update(subject="other") if act == "update" else row._raw_delete(row.db)


def test_the_database_refuses_to_send_a_link_elsewhere(version: TemplateVersion) -> None:
    """TR-07"""
    with pytest.raises((IntegrityError, InternalError, DatabaseError)), transaction.atomic():
        Link.objects.update(destination="https://evil.example")


def test_the_author_may_not_approve(at_harbor: Organisation) -> None:
    with acting_as(Actor("staff", "author")):
        version = versions.save(template(), now=NOON)
        with pytest.raises(versions.ApprovalRefused, match="Another person"):
            versions.approve(version, now=NOON)


def test_a_workflow_would_use_the_latest_approved_version(version: TemplateVersion) -> None:
    version.template.subject += "!"
    versions.save(version.template, now=NOON)
    assert versions.latest_approved(version.template_id) == version


def test_se33_a_message_that_prints_a_labelled_field_says_its_label(
    at_harbor: Organisation,
) -> None:
    """SE-33: as the field is labelled now, whatever it was when the version was read before."""
    key = custom_fields.add(
        label="Load", type_="text", data_class="demographic", labels=["hiv"], now=NOON
    ).key
    draft = template(mjml=mjml(BODY.replace("contact.given_name", f"contact.{key}"), foot=FOOT))
    draft.declared = [key, "conditions", "given_name"]
    draft.save()
    version = approved(draft)
    assert versions.load([version.id])[version.id].says >= {"demographic", "hiv"}
    custom_fields.change(key, labels=["mental_health"], now=NOON)
    said = versions.load([version.id])[version.id].says
    assert ("hiv" in said, "mental_health" in said) == (False, True)
