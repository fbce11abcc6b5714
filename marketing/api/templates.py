"""Templates over HTTP: drafts, checks, versions and previews. People approve; machines do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Q
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from contacts import registry
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, invalid, not_found
from marketing.api.template_forms import (
    EXAMPLE,
    TEXT_EXAMPLE,
    CheckAnswer,
    CopyForm,
    TemplateBody,
    TemplateForm,
    TemplateRow,
    TemplateRows,
    VersionRow,
    VersionRows,
)
from messaging import versions
from messaging.making import drafts, flow, languages, naming, reviews
from messaging.making.flow import Use
from messaging.models import Template, TemplateVersion, Translation
from messaging.sandbox import Problem as Found
from messaging.templates_compile import TemplateInvalid

_EXAMPLES = [
    OpenApiExample("A mail", value=EXAMPLE, request_only=True),
    OpenApiExample("A text message", value=TEXT_EXAMPLE, request_only=True),
]
_PARTS = ("purpose", "topic", "subject", "mjml", "text", "declared", "language", "audience")


class Templates(MachineView):
    """The organisation's templates."""

    scopes: ClassVar[Scopes] = {"GET": Permission.TEMPLATES_VIEW, "POST": Permission.TEMPLATES_EDIT}

    @extend_schema(
        operation_id="read_templates", summary="Read the templates", responses=TemplateRows
    )
    def get(self, request: Request) -> Response:
        return Response({"templates": _rows()})

    @extend_schema(
        operation_id="create_template",
        summary="Make a template",
        description="A draft: it may have problems, and nothing is sent of it. Make a version.",
        request=TemplateForm,
        responses={201: TemplateBody},
        examples=_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        given = _given(request)
        return self.once(lambda: self._begin(given), "template", request.data)

    def _begin(self, given: dict[str, Any]) -> Response:
        made = naming.begin(
            name=given["name"], channel=given["channel"], purpose=given["purpose"], now=self.now
        )
        _write(made, given, self)
        return Response(_body(made), status=201)


class OneTemplate(MachineView):
    """One template's draft."""

    scopes: ClassVar[Scopes] = {"GET": Permission.TEMPLATES_VIEW, "PUT": Permission.TEMPLATES_EDIT}

    @extend_schema(operation_id="read_template", summary="Read a draft", responses=TemplateBody)
    def get(self, request: Request, template_id: UUID) -> Response:
        return Response(_body(draft_of(template_id)))

    @extend_schema(
        operation_id="update_template",
        summary="Write a draft",
        description="Puts the whole draft in place of what stood; versions stay as they are.",
        request=TemplateForm,
        responses=TemplateBody,
        examples=_EXAMPLES,
    )
    def put(self, request: Request, template_id: UUID) -> Response:
        found = draft_of(template_id)
        given = _given(request, channel=found.channel)
        if given["channel"] != found.channel:
            raise invalid([Fault("/channel", "A template's channel never changes; make another.")])
        _write(found, given, self)
        return Response(_body(found))


class TemplateCopies(MachineView):
    """Another template like this one."""

    scopes: ClassVar[Scopes] = {"POST": Permission.TEMPLATES_EDIT}

    @extend_schema(
        operation_id="copy_template",
        summary="Copy a template",
        description="The draft with its languages and conditions; versions stay with the first.",
        request=CopyForm,
        responses={201: TemplateBody},
        examples=[OpenApiExample("A copy", value={"name": "Fall check-up"}, request_only=True)],
    )
    def post(self, request: Request, template_id: UUID) -> Response:
        template = draft_of(template_id)
        form = CopyForm(data=request.data)
        form.is_valid(raise_exception=True)
        name = form.validated_data["name"]
        return self.once(
            lambda: Response(_body(naming.copied(template, name=name, now=self.now)), status=201),
            f"copy {template_id}",
            request.data,
        )


class TemplateChecks(MachineView):
    """What is wrong with a draft, what to mind, and where a person's data goes."""

    scopes: ClassVar[Scopes] = {"GET": Permission.TEMPLATES_VIEW}

    @extend_schema(operation_id="check_template", summary="Check a draft", responses=CheckAnswer)
    def get(self, request: Request, template_id: UUID) -> Response:
        return Response(_checked(draft_of(template_id)))


class TemplateVersions(MachineView):
    """A template's versions; each waits for people's reviews."""

    scopes: ClassVar[Scopes] = {"GET": Permission.TEMPLATES_VIEW, "POST": Permission.TEMPLATES_EDIT}

    @extend_schema(
        operation_id="read_template_versions", summary="Read versions", responses=VersionRows
    )
    def get(self, request: Request, template_id: UUID) -> Response:
        rows = versions_of(draft_of(template_id)).order_by("-number")[:100]
        return Response({"versions": [_version(each) for each in rows]})

    @extend_schema(
        operation_id="create_template_version",
        summary="Make a version",
        description="Compiles every language of the draft. A draft that says the same as the "
        "newest version makes none. A problem names its part, line and language.",
        request=None,
        responses={201: VersionRow},
    )
    def post(self, request: Request, template_id: UUID) -> Response:
        found = draft_of(template_id)
        try:
            made = versions.save(found, now=self.now)
        except TemplateInvalid as error:
            raise invalid([fault_of(each) for each in error.problems]) from None
        return Response(_version(versions_of(found).get(pk=made.pk)), status=201)


def _given(request: Request, *, channel: str = "") -> dict[str, Any]:
    """Return what was given, checked; `channel` is that of the template that there is."""
    form = TemplateForm(data=request.data)
    form.is_valid(raise_exception=True)
    given: dict[str, Any] = form.validated_data
    if channel and "channel" not in request.data:
        given["channel"] = channel
    known = registry.current()
    faults = [
        Fault(f"/declared/{at}", "There is no such field of contacts.")
        for at, key in enumerate(given["declared"])
        if key not in known
    ]
    faults += _missing(given, "")
    for at, each in enumerate(given["translations"]):
        faults += _missing({**each, "channel": given["channel"]}, f"/translations/{at}")
    spoken = [one["language"] for one in given["translations"]]
    if len({given["language"], *spoken}) != len(spoken) + 1:
        faults.append(Fault("/translations", "Each language may stand once."))
    if faults:
        raise invalid(faults)
    return given


def _missing(given: Mapping[str, Any], where: str) -> list[Fault]:
    """A mail has a subject and a body; a text message has its words and nothing else."""
    if given["channel"] == "sms":
        return [
            Fault(f"{where}/{part}", "A text message has text alone.")
            for part in ("subject", "mjml")
            if given[part]
        ]
    return [
        Fault(f"{where}/{part}", "This field may not be blank.")
        for part in ("subject", "mjml")
        if not given[part].strip()
    ]


@transaction.atomic
def _write(template: Template, given: Mapping[str, Any], view: MachineView) -> None:
    """Put the draft, its conditions and its languages in place of what stood."""
    template.name, template.changed_at = given["name"], view.now
    for part in _PARTS:
        setattr(template, part, given[part])
    template.conditions = {
        one["name"]: {"label": one["label"], "definition": one["definition"]}
        for one in given["conditions"]
    }
    template.save()
    before = {one.language: one for one in template.translations.all()}
    template.translations.all().delete()
    Translation.objects.bulk_create(
        _translated(template, one, before.get(one["language"]), view)
        for one in given["translations"]
    )


def _translated(
    template: Template, one: Mapping[str, str], before: Translation | None, view: MachineView
) -> Translation:
    """Return a translation's row; words that stayed are held against what they were before."""
    made = Translation(template=template, changed_at=view.now, **one)
    if before and languages.words(before) == languages.words(made):
        made.main, made.changed_at = before.main, before.changed_at
    else:
        languages.hold(template, made)
    return made


def draft_of(template_id: UUID) -> Template:
    """Return the template in use; raise a 404 where there is none."""
    row = Template.objects.filter(pk=template_id, archived_at=None).first()
    if row is None:
        raise not_found("template")
    return row


def versions_of(template: Template) -> Any:
    """Return its versions with what is told of each."""
    rows = template.versions.select_related("approval")
    return rows.prefetch_related("reviews", "links", "translations")


def _rows(**only: Any) -> list[dict[str, Any]]:
    rows = Template.objects.filter(archived_at=None, **only).annotate(
        latest=Max("versions__number"),
        approved=Max("versions__number", filter=Q(versions__approval__isnull=False)),
    )
    found = rows.prefetch_related("translations").order_by("name")
    return [
        TemplateRow(
            {
                **{
                    name: getattr(row, name)
                    for name in ("id", "slug", "name", "channel", "purpose", "topic")
                },
                "languages": [row.language, *(one.language for one in row.translations.all())],
                "latest": row.latest,
                "approved": row.approved,
                "changed_at": row.changed_at,
            }
        ).data
        for row in found
    ]


def _body(template: Template) -> dict[str, Any]:
    (row,) = _rows(pk=template.pk)
    names = ("subject", "mjml", "text", "declared", "audience")
    others = [
        {"language": one.language, **languages.words(one), "lags": languages.lags(template, one)}
        for one in template.translations.order_by("language")
    ]
    return {**row, **{name: getattr(template, name) for name in names}, "translations": others}


def _checked(draft: Template) -> dict[str, Any]:
    try:
        compiled = drafts.compiled(draft)
    except TemplateInvalid as error:
        return {
            "sound": False,
            "problems": [_told(each) for each in error.problems],
            "warnings": [],
            "flow": _uses(error.uses),
            "says": [],
            "steps": [],
        }
    says = sorted(compiled.data_classes | set(draft.audience))
    return {
        "sound": True,
        "problems": [],
        "warnings": [_told(each) for each in compiled.warnings],
        "flow": _uses(compiled.uses),
        "says": says,
        "steps": [step.value for step in reviews.required(draft.purpose, says)],
    }


def _told(found: Found) -> dict[str, Any]:
    names = ("part", "line", "message", "code", "language")
    return {name: getattr(found, name) for name in names}


def fault_of(found: Found) -> Fault:
    """Return a draft's problem at its place."""
    where = f"/{found.language}/{found.part}" if found.language else f"/{found.part}"
    return Fault(where, f"Line {found.line}: {found.message}")


def _uses(uses: Iterable[Use]) -> list[dict[str, Any]]:
    names = ("place", "field", "how", "line", "condition", "allowed")
    return [{name: getattr(use, name) for name in names} for use in uses]


def _version(version: TemplateVersion) -> dict[str, Any]:
    where = reviews.standing(version)
    return {
        "number": version.number,
        "sha256": version.sha256,
        "says": sorted(reviews.says(version)),
        "languages": [version.language, *(one.language for one in version.translations.all())],
        "flow": _uses(flow.restored(version.flow)),
        "links": [link.destination for link in version.links.all()],
        "approved": where.approved,
        "steps": [step.value for step in where.steps],
        "next": where.next.value if where.next else None,
        "reviews": _words(where.said),
        "created_at": version.created_at,
    }


def _words(said: Sequence[Any]) -> list[dict[str, Any]]:
    return [{"step": one.step, "verdict": one.verdict, "at": one.at} for one in said]
