"""Code groups: which there are, what each version held, and new versions from pasted lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from contacts import code_groups, codes, dependants, grouping
from contacts.code_groups import GroupGone
from contacts.declared.code_lines import (
    MOST_CODES,
    NAMES,
    Code,
    LinesRefused,
    parse,
    written,
)
from contacts.declared.models import CodeGroup
from contacts.grouping import ChangedMeanwhile, GroupRefused, StillUsed
from contacts.segments.references import label_names
from marketing.web import naming
from marketing.web.fields import users
from marketing.web.shown import LABEL_NAMES

get_and_post = require_http_methods(["GET", "HEAD", "POST"])
MOST_FAULTS = 50
MOST_SHOWN = 1_000


class Naming(forms.Form):
    name = forms.CharField(max_length=80, label="Name")


class Codes(forms.Form):
    """The codes as lines; the newest version they began from travels along."""

    codes = forms.CharField(
        label="Codes",
        max_length=4_000_000,
        help_text="One a line: the system, the code, and its name if you like, between tabs, "
        "commas or spaces. Such as ICD-10-CM E11.9 Type 2 diabetes. A line that begins with # is "
        "passed over. Systems: " + ", ".join(NAMES.values()) + ".",
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false", "class": "code"}),
    )
    since = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def clean_codes(self) -> list[Code]:
        try:
            return parse(self.cleaned_data["codes"])
        except LinesRefused as refused:
            faults = [f"Line {fault.line} {fault.message}." for fault in refused.faults]
            if len(faults) > MOST_FAULTS:
                faults[MOST_FAULTS:] = [f"And {len(faults) - MOST_FAULTS} more lines."]
            raise forms.ValidationError(
                [forms.ValidationError(fault) for fault in faults]
            ) from None


class NewGroup(Codes):
    name = forms.CharField(max_length=80, label="Name")
    field_order = ("name", "codes", "since")


@require_safe
@requires(Permission.FIELDS_VIEW)
def groups(request: HttpRequest) -> HttpResponse:
    """List the groups in use."""
    found = CodeGroup.objects.filter(archived_at=None).order_by("name")
    seen = {one.pk for one in naming.groups_for(found, staff_of(request))}
    context = {
        "rows": [_row(group, open_=group.pk in seen) for group in found],
        "may_manage": staff_of(request).may(Permission.CODE_GROUPS_MANAGE),
    }
    return render(request, "settings/code_groups.html", context)


@require_POST
@requires(Permission.CODE_GROUPS_MANAGE)
def starters(request: HttpRequest) -> HttpResponse:
    """Add the shipped groups that are not here yet."""
    added = grouping.add_starters(now=timezone.now())
    messages.success(
        request,
        f"{len(added)} starter groups are added. Have someone clinical read them before use."
        if added
        else "Every starter group was added before.",
    )
    return redirect("code-groups")


@get_and_post
@requires(Permission.CODE_GROUPS_MANAGE)
def new(request: HttpRequest) -> HttpResponse:
    """Make a group from pasted lines."""
    form = NewGroup(request.POST or None, initial={"since": 0})
    if request.method == "POST" and form.is_valid():
        try:
            group = grouping.add(
                form.cleaned_data["name"], form.cleaned_data["codes"], now=timezone.now()
            )
        except GroupRefused as refused:
            form.add_error("name", str(refused))
        else:
            return redirect("code-group", group.pk)
    return render(request, "settings/edit_code_group.html", {"form": form})


@require_safe
@requires(Permission.FIELDS_VIEW)
def one(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """Show a version, what it changed, and what leans on the group."""
    group = _group(group_id)
    if not naming.groups_for([group], staff_of(request)):
        raise PermissionDenied
    number = _number(request.GET.get("version", ""), group)
    held = code_groups.held(group_id, version=number)
    before = code_groups.held(group_id, version=number - 1) if number > 1 else held
    made = grouping.difference(before, held)
    most = MOST_CODES if "all" in request.GET else MOST_SHOWN
    context = {
        "group": group,
        "number": number,
        "count": len(held),
        "codes": _lines(held[:most]),
        "left_out": max(0, len(held) - most),
        "labels": _labels(held),
        "came": _came("Came", made.added),
        "went": _came("Went", made.removed),
        "versions": group.versions.order_by("-number").defer("codes"),
        "users": users(dependants.of_code_group(group_id)),
        "naming": Naming(initial={"name": group.name}),
        "may_manage": staff_of(request).may(Permission.CODE_GROUPS_MANAGE),
    }
    return render(request, "settings/code_group.html", context)


@get_and_post
@requires(Permission.CODE_GROUPS_MANAGE)
def edit(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """Make a new version from the lines of the newest, as they were changed."""
    group = _group(group_id)
    begun = {"since": group.version, "codes": written(code_groups.held(group_id))}
    form = Codes(request.POST or None, initial=begun)
    if request.method == "POST" and form.is_valid():
        try:
            found = grouping.change(
                group_id,
                form.cleaned_data["codes"],
                since=form.cleaned_data["since"],
                now=timezone.now(),
            )
        except ChangedMeanwhile as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _changed(found))
            return redirect("code-group", group_id)
    context = {"form": form, "group": group, "users": users(dependants.of_code_group(group_id))}
    return render(request, "settings/edit_code_group.html", context)


@require_POST
@requires(Permission.CODE_GROUPS_MANAGE)
def name(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """Give a group another name."""
    try:
        grouping.rename(group_id, request.POST.get("name", ""), now=timezone.now())
    except GroupGone:
        raise Http404("no such code group") from None
    except GroupRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "The group has its new name.")
    return redirect("code-group", group_id)


@require_POST
@requires(Permission.CODE_GROUPS_MANAGE)
def archive(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """Take a group out of use."""
    group = _group(group_id)
    try:
        grouping.archive(group_id, now=timezone.now())
    except StillUsed:
        messages.error(
            request, f"{group.name} is in use: take it out of what is listed here first."
        )
        return redirect("code-group", group_id)
    messages.success(request, f"{group.name} is archived.")
    return redirect("code-groups")


def _group(group_id: UUID) -> CodeGroup:
    try:
        return code_groups.one(group_id)
    except GroupGone:
        raise Http404("no such code group") from None


def _number(given: str, group: CodeGroup) -> int:
    if not given:
        return group.version
    if not given.isdecimal() or not 1 <= int(given[:9]) <= group.version:
        raise Http404("no such version")
    return int(given[:9])


def _changed(found: grouping.Difference) -> str:
    if not (found.added or found.removed):
        return "No code came or went."
    return (
        f"A new version: {len(found.added)} codes came, {len(found.removed)} went. Segments that "
        "ask for the group are worked out again."
    )


def _came(word: str, found: Sequence[Code]) -> dict[str, Any]:
    """Return what a version brought or took away, as far as a page holds it."""
    return {
        "title": f"{word} with this version",
        "note": f"{len(found):,} code{'' if len(found) == 1 else 's'}",
        "codes": _lines(found[:MOST_SHOWN]),
        "left_out": max(0, len(found) - MOST_SHOWN),
    }


def _lines(held: Sequence[Code]) -> list[dict[str, str]]:
    return [
        {"system": NAMES[code.system], "code": code.code, "display": code.display} for code in held
    ]


def _labels(held: Sequence[Code]) -> list[str]:
    names = label_names(codes.labels_of((code.system, code.code) for code in held))
    return [LABEL_NAMES[name] for name in names]


def _row(group: CodeGroup, *, open_: bool) -> dict[str, Any]:
    held = code_groups.held(group.pk)
    title = group.name if open_ else naming.restricted("code group", str(group.pk))
    return {
        "group": group,
        "title": title,
        "open": open_,
        "count": len(held),
        "labels": _labels(held),
    }
