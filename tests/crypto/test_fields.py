"""Sealed model fields behave as fields, and show nothing."""

from __future__ import annotations

import pickle

import pytest
from django.core import serializers
from django.core.exceptions import FieldError
from django.db import connection, connections

from accounts.models import Authenticator, User
from audit.models import Disclosure
from crypto import inventory, keyring
from crypto.fields import SealedJSONField, SealedTextField
from crypto.seal import SealBroken
from tests.conftest import NOON
from tests.ground.server import OwnDatabase


def _made(clinic: int, **values: str) -> Disclosure:
    parts = {"recipient": "CANARY-ONE", "address": "12 Elm", "what": "list"} | values
    return Disclosure(
        organisation_id=clinic,
        at=NOON,
        purpose="research",
        basis="authorization",
        actor_kind="staff",
        actor_id="x",
        **parts,
    )


def test_a_value_is_read_back_after_saving(clinic: int) -> None:
    _made(clinic).save()
    assert Disclosure.objects.get().recipient == "CANARY-ONE"


def test_the_row_holds_no_plaintext(clinic: int) -> None:
    _made(clinic).save()
    with connection.cursor() as cursor:
        cursor.execute("SELECT recipient FROM audit_disclosure")
        assert b"CANARY" not in bytes(cursor.fetchone()[0])


def test_bulk_create_seals(clinic: int) -> None:
    Disclosure.objects.bulk_create([_made(clinic), _made(clinic, recipient="Two")])
    assert {d.recipient for d in Disclosure.objects.all()} == {"CANARY-ONE", "Two"}


def test_update_or_create_seals(clinic: int, mara: User) -> None:
    for secret in ("first", "second"):
        device, _ = Authenticator.objects.update_or_create(
            user=mara, defaults={"secret": secret, "created_at": NOON}
        )
        assert Authenticator.objects.get(pk=device.pk).secret == secret


def test_a_deferred_value_is_fetched_and_opened(clinic: int) -> None:
    _made(clinic).save()
    assert Disclosure.objects.only("id", "organisation_id").get().recipient == "CANARY-ONE"


def test_a_value_moved_to_another_row_does_not_open(committed_db: OwnDatabase, clinic: int) -> None:
    """SR-08."""
    first, second = _made(clinic), _made(clinic)
    Disclosure.objects.bulk_create([first, second])
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "UPDATE audit_disclosure SET recipient = (SELECT recipient FROM audit_disclosure"
            " WHERE id = %s) WHERE id = %s",
            [second.pk, first.pk],
        )
    assert Disclosure.objects.get(pk=second.pk).recipient == "CANARY-ONE"
    with pytest.raises(SealBroken):
        _ = Disclosure.objects.get(pk=first.pk).recipient


def test_a_value_moved_to_another_column_does_not_open(clinic: int) -> None:
    """SR-08."""
    one = _made(clinic)
    one.save()
    read = Disclosure.objects.get()
    read.__dict__["recipient"], read.__dict__["address"] = (
        read.__dict__["address"],
        read.__dict__["recipient"],
    )
    with pytest.raises(SealBroken):
        _ = read.recipient


def test_nothing_shows_the_value(clinic: int) -> None:
    one = _made(clinic)
    one.save()
    read = Disclosure.objects.get()
    shown = f"{read!r} {read} {read.__dict__} {list(Disclosure.objects.values())}"
    assert "CANARY" not in shown
    assert "CANARY" not in serializers.serialize("json", [one])


def test_a_sealed_field_cannot_be_searched(clinic: int) -> None:
    with pytest.raises(FieldError, match="cannot be searched"):
        Disclosure.objects.filter(recipient="CANARY-ONE").exists()


def test_a_queryset_update_is_refused_before_the_value_leaves(clinic: int) -> None:
    with pytest.raises(FieldError, match="assign it on an instance"):
        Disclosure.objects.update(recipient="CANARY-ONE")


def test_saving_again_writes_with_the_newest_key(clinic: int) -> None:
    field = Disclosure._meta.get_field("recipient")
    assert isinstance(field, SealedTextField)
    one = _made(clinic)
    before = field.pre_save(one, add=True).sealed
    keyring.rotate(clinic, now=NOON)
    after = field.pre_save(one, add=False).sealed
    assert (before[2], after[2]) == (1, 2)
    assert field.open(before, one) == field.open(after, one) == "CANARY-ONE"


def test_the_inventory_counts_sealed_fields(clinic: int) -> None:
    _made(clinic).save()
    assert inventory.of_version(clinic, 1)["audit_disclosure.recipient"] == 1


def test_an_instance_read_survives_pickling_while_sealed(clinic: int) -> None:
    _made(clinic).save()
    copied = pickle.loads(pickle.dumps(Disclosure.objects.get()))
    assert copied.recipient == "CANARY-ONE"


def test_json_makes_the_round_trip() -> None:
    field = SealedJSONField()
    tree = {"all": [{"field": "gender", "op": "equals", "value": "é"}], "n": [1, None, True]}
    assert field.decode(field.encode(tree)) == tree


def test_a_migration_knows_a_sealed_field_by_its_name_only() -> None:
    _, path, args, kwargs = SealedTextField(default="").deconstruct()
    assert (path, args, kwargs) == ("crypto.fields.SealedTextField", [], {"default": ""})
