"""Other languages of a template, blocks that templates share, and who looks at a version."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.tenancy import TenantModel
from crypto.ids import uuid7


class Translation(TenantModel):
    """The draft of a template in another language than its own."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    template = models.ForeignKey(
        "messaging.Template", on_delete=models.CASCADE, related_name="translations"
    )
    language = models.CharField(max_length=16)
    subject = models.TextField(blank=True, default="")
    mjml = models.TextField(blank=True, default="")
    text = models.TextField(blank=True, default="")
    main = models.JSONField(null=True)
    """The main words that it was last held against, by part; null in rows of before 0025."""
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["template", "language"], name="messaging_translation_once"
            )
        ]
        ordering = ["language"]

    def __str__(self) -> str:
        return f"{self.template_id} in {self.language}"


class VersionTranslation(TenantModel):
    """What was compiled of a version in another language, for good (migration 0005)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.ForeignKey(
        "messaging.TemplateVersion", on_delete=models.PROTECT, related_name="translations"
    )
    language = models.CharField(max_length=16)
    subject = models.TextField()
    mjml = models.TextField()
    text = models.TextField(blank=True)
    html = models.TextField()
    plain = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "language"], name="messaging_versiontranslation_once"
            )
        ]
        ordering = ["language"]

    def __str__(self) -> str:
        return f"{self.version_id} in {self.language}"


class ContentBlock(TenantModel):
    """A piece that templates include by its slug: a header, a footer, a whole layout."""

    class Kind(models.TextChoices):
        LAYOUT = "layout", "Layout: everything around the message"
        HEADER = "header", "Header"
        FOOTER = "footer", "Footer with postal address and unsubscribe"
        PERSONAL = "personal", "Personal block"
        PIECE = "piece", "Piece"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=Kind)
    mjml = models.TextField(blank=True, default="")
    declared = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "slug"], name="messaging_block_slug")
        ]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class BlockVersion(TenantModel):
    """What a block was when it was published; the database refuses to change it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    block = models.ForeignKey(ContentBlock, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    mjml = models.TextField()
    declared = ArrayField(models.CharField(max_length=60), default=list)
    author_id = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["block", "number"], name="messaging_block_number")
        ]
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.block_id} version {self.number}"


class Step(models.TextChoices):
    """What a review looks at, in the order in which it is asked."""

    MEDICAL = "medical", "Medical accuracy"
    COMPLIANCE = "compliance", "Compliance"
    TECHNICAL = "technical", "Technical"
    CONTENT = "content", "Content"


class ReviewRule(TenantModel):
    """A version of these purposes that says these classes needs this step."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    step = models.CharField(max_length=12, choices=Step)
    purposes = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    """Empty means every purpose."""
    classes = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    """Empty means whatever it says; otherwise one of these is enough."""
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.step)


class Review(TenantModel):
    """One person's word on one step of one version, bound to what it was and for whom."""

    class Verdict(models.TextChoices):
        PASSED = "passed", "Passed"
        RETURNED = "returned", "Sent back"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.ForeignKey(
        "messaging.TemplateVersion", on_delete=models.PROTECT, related_name="reviews"
    )
    step = models.CharField(max_length=12, choices=Step)
    verdict = models.CharField(max_length=10, choices=Verdict)
    bound_to = models.CharField(max_length=64)
    """SHA-256 of the content's hash and the classes of the audience (`reviews.binding`)."""
    reviewer_id = models.CharField(max_length=64)
    comment = models.TextField(blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "step"],
                condition=models.Q(verdict="passed"),
                name="messaging_review_passed_once",
            )
        ]
        ordering = ["at"]

    def __str__(self) -> str:
        return f"{self.step} {self.verdict}"
