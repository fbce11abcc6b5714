"""How far the changes were followed, which segments await a whole evaluation, when time moves whom.

Nothing here says what a segment asks: ids, instants and sealed bytes only.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts import tenancy
from audit.settled import TransactionNumberField
from contacts.fields import DataClass


class Feed(models.Model):
    """Up to where the organisation's events were followed; its row lock lets one follower in.

    Everything before (`txid`, `event_id`) was followed. Behind that point `ahead` names the events
    that were followed before older transactions had ended, so that a long one holds nobody up.
    """

    classified = {"mark": "opaque"}

    organisation = models.OneToOneField(
        "accounts.Organisation",
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="+",
        default=tenancy.current,
    )
    txid = models.BigIntegerField(default=0)
    event_id = models.BigIntegerField(default=0)
    ahead = ArrayField(models.BigIntegerField(), default=list)
    ahead_txids = ArrayField(models.BigIntegerField(), default=list)
    mark = models.BinaryField(default=b"")
    """A hash of all that definitions name, when they were last checked."""
    followed_at = models.DateTimeField(null=True)
    """Every change committed by then is in the members."""

    def __str__(self) -> str:
        return str(self.pk)


class Touch(tenancy.TenantModel):
    """A contact for whom something changed that no event tells: an erasure, a household, a journey.

    Written in the change's own transaction. A touch that was followed stays for an hour: a whole
    evaluation that ran meanwhile must see it.
    """

    classified = {"what": "opaque"}

    id = models.BigAutoField(primary_key=True)
    contact_id = models.BigIntegerField()
    what = models.CharField(max_length=20)
    at = models.DateTimeField()
    taken = models.BooleanField(default=False)
    txid = TransactionNumberField()

    class Meta:
        indexes = [
            models.Index(
                fields=["organisation", "id"],
                condition=models.Q(taken=False),
                name="contacts_touch_due",
            ),
            models.Index(fields=["organisation", "txid"], name="contacts_touch_settled"),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.contact_id}"


class Following(tenancy.TenantModel):
    """What a segment still needs: a whole evaluation is due while `wanted` is ahead of `done`."""

    classified = {"rests_on": "opaque", "meaning": "opaque"}

    segment = models.OneToOneField(
        "contacts.Segment", on_delete=models.CASCADE, primary_key=True, related_name="following"
    )
    wanted = models.IntegerField(default=1)
    done = models.IntegerField(default=0)
    since = models.DateTimeField(null=True)
    """When it became due."""
    may_wait = models.BooleanField(default=False)
    """It became due by a bulk change, and waits a while for an import that still runs."""
    whole_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    """When a whole evaluation is due without any change: midnight, or to repair what drifted."""
    foreseen_until = models.DateTimeField(null=True)
    """Up to when those whom time will move are written down (Foreseen)."""
    rests_on = ArrayField(models.CharField(max_length=20), default=list)
    """What the segment asks that is only told where somebody asks: see `touches.asked`."""
    meaning = models.BinaryField(default=b"")
    """A keyed hash of the definition with everything that it names put in."""
    frozen_at = models.DateTimeField(null=True)
    """Since when the segment is broken and its members stay as they were."""
    drifted = models.IntegerField(default=0)
    """Members that a whole evaluation had to put right although nothing had told of a change."""

    class Meta:
        indexes = [models.Index(fields=["organisation", "next_at"], name="contacts_following_due")]

    def __str__(self) -> str:
        return str(self.pk)


class Foreseen(models.Model):
    """Whom time will move in one hour, and at which second: sealed, and padded to a size class.

    A segment whose answer moves with the clock has a row for every hour, empty or not.
    """

    classified = {"payload": DataClass.CLINICAL}

    pk = models.CompositePrimaryKey("segment_id", "hour")
    organisation = models.ForeignKey(
        "accounts.Organisation",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    segment = models.ForeignKey("contacts.Segment", on_delete=models.CASCADE, related_name="+")
    hour = models.IntegerField()
    """Hours since 1970."""
    version = models.IntegerField()
    payload = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["organisation", "hour"], name="contacts_foreseen_due")]

    def __str__(self) -> str:
        return f"hour {self.hour}"


class SegmentCount(tenancy.TenantModel):
    """One day of a segment: how many came, how many left, and how many were in at its end."""

    id = models.BigAutoField(primary_key=True)
    segment = models.ForeignKey("contacts.Segment", on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    """By the organisation's calendar."""
    entered = models.BigIntegerField(default=0)
    left = models.BigIntegerField(default=0)
    count = models.BigIntegerField(null=True)
    """None until the segment was evaluated as a whole."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["segment", "day"], name="contacts_segment_day")
        ]

    def __str__(self) -> str:
        return f"{self.day}"
