"""Organisations, their staff and their machines."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from accounts.roles import Permission, Role, allows, data_classes
from accounts.tenancy import TenantModel
from crypto.fields import SealedTextField
from crypto.ids import uuid7


class Organisation(models.Model):
    id = models.AutoField(primary_key=True)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    timezone = models.CharField(max_length=64, default="America/New_York")
    postal_address = models.TextField(blank=True, default="")
    """Stands at the foot of every marketing mail (CAN-SPAM)."""
    web_origin = models.CharField(max_length=200, blank=True, default="")
    """Scheme and host of the pages that patients reach; empty means the installation's."""
    mail_from = models.EmailField(blank=True, default="")
    accent = models.CharField(max_length=7, blank=True, default="")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class User(TenantModel, AbstractBaseUser):
    """One person on staff. Never deleted, never enabled again: an id stays one person (SR-06)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=20, choices=[(role.value, role.label) for role in Role])
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    password_changed_at = models.DateTimeField(null=True)
    last_login = None

    objects = BaseUserManager()

    USERNAME_FIELD = "id"
    REQUIRED_FIELDS = ["email", "name", "role"]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"), condition=models.Q(is_active=True), name="accounts_one_per_email"
            )
        ]

    def __str__(self) -> str:
        return str(self.id)

    def get_username(self) -> str:
        return str(self.id)

    def may(self, permission: Permission | str) -> bool:
        return self.is_active and allows(self.role, permission)

    @property
    def data_classes(self) -> frozenset[str]:
        return data_classes(self.role)

    @property
    def role_label(self) -> str:
        return Role(self.role).label


class Session(TenantModel):
    """A browser that someone signed in from. Ending it is deleting the row."""

    class Method(models.TextChoices):
        PASSWORD = "password", "Password only"
        TOTP = "totp", "Password and authenticator"
        RECOVERY = "recovery", "Password and recovery code"
        SAMPLE = "sample", "One-time link of the sample"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    token_hash = models.BinaryField(max_length=32, unique=True)
    method = models.CharField(max_length=10, choices=Method.choices)
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    """When a second factor last proved who sits there; sensitive changes ask again."""
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=80, blank=True, default="")

    IDLE = timedelta(minutes=15)
    ABSOLUTE = timedelta(hours=12)
    HALF_WAY = timedelta(minutes=10)
    """How long a password alone waits for its second factor."""
    FRESH = timedelta(minutes=10)

    class Meta:
        indexes = [models.Index(fields=["user"], name="accounts_session_of_user")]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_complete(self) -> bool:
        return self.method != self.Method.PASSWORD

    def ends_at(self) -> datetime:
        if not self.is_complete:
            return self.created_at + self.HALF_WAY
        return min(self.seen_at + self.IDLE, self.created_at + self.ABSOLUTE)

    def is_fresh(self, *, now: datetime) -> bool:
        return self.confirmed_at is not None and now < self.confirmed_at + self.FRESH


class Authenticator(TenantModel):
    """The secret that a staff member's authenticator app shares with us."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="authenticators")
    secret = SealedTextField()
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=-1)
    """The newest time step whose code was taken: a code works once."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(confirmed_at__isnull=False),
                name="accounts_one_authenticator",
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class RecoveryCode(TenantModel):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    code_hash = models.BinaryField(max_length=32)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "code_hash"], name="accounts_recovery_code")
        ]

    def __str__(self) -> str:
        return str(self.id)


class OneTimeLink(TenantModel):
    class Purpose(models.TextChoices):
        INVITATION = "invitation", "Invitation"
        SAMPLE = "sample", "Sample sign-in"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="links")
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    token_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.id)


class ApiKey(TenantModel):
    """A machine's key. Kept as a hash; the key itself is shown once, when it is made."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=8)
    """The first characters of the secret, so that a person can tell keys apart."""
    hash = models.BinaryField(max_length=32, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return str(self.id)

    def allows(self, permission: Permission | str) -> bool:
        return Permission(permission).value in self.scopes

    def state(self, *, now: datetime) -> str:
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if now >= self.expires_at else "active"


class Throttle(models.Model):
    """Failed attempts on one account, from one address, or with one code. No organisation: an
    address that nobody has is counted like any other, so that nothing tells them apart."""

    key = models.BinaryField(max_length=32, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    failed_at = models.DateTimeField()
    closed_until = models.DateTimeField()

    def __str__(self) -> str:
        return bytes(self.key).hex()

    def save(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError("Count with accounts.throttle.failed, which is one statement.")
