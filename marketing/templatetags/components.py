"""Components that wrap other markup. The leaves are partials in templates/components/."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel import dates
from django import template
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts import guard
from accounts.models import User
from marketing.web.shown import LABEL_NAMES
from messaging.filters import known

register = template.Library()


@register.simple_block_tag
def panel(content: str, title: str = "", id: str = "", **more: Any) -> SafeString:  # noqa: A002
    """{% panel "Title" note="…" %}…{% endpanel %}: one subject of a page, with its heading."""
    context = {"content": content, "title": title, "id": id, **more}
    return render_to_string("components/panel.html", context)


@register.simple_block_tag
def dialog(content: str, id: str, title: str, **more: Any) -> SafeString:  # noqa: A002
    """{% dialog "erase" "Erase this person?" %}…{% enddialog %}; a button with
    data-opens="erase" opens it. Escape closes it, and the focus goes back to the button."""
    return render_to_string(
        "components/dialog.html", {"content": content, "id": id, "title": title, **more}
    )


@register.simple_tag(takes_context=True)
def moment(context: template.Context, at: datetime | None, style: str = "full") -> str:
    """Show a time in the organisation's zone, with the zone named; hovering shows UTC."""
    if at is None:
        return "—"
    organisation = context.get("organisation")
    zone = organisation.zone if organisation else ZoneInfo("UTC")
    local = at.astimezone(zone)
    shown = {
        "full": f"{local:%b} {local.day}, {local:%Y %H:%M %Z}",
        "short": f"{local:%b} {local.day}, {local:%H:%M %Z}",
        "date": f"{local:%b} {local.day}, {local:%Y}",
        "seconds": f"{local:%b} {local.day}, {local:%Y %H:%M:%S %Z}",
    }[style]
    utc = at.astimezone(ZoneInfo("UTC"))
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        at.isoformat(timespec="seconds"),
        f"{utc:%Y-%m-%d %H:%M:%S}",
        shown,
    )


@register.simple_tag(takes_context=True)
def long_day(context: template.Context, at: datetime | date) -> str:
    """Show patients a day in the page's language: "March 4, 2026", "4 de marzo de 2026".

    Of a moment, it is its day on the organisation's clock.
    """
    organisation = context.get("organisation")
    if isinstance(at, datetime):
        at = at.astimezone(organisation.zone if organisation else ZoneInfo("UTC")).date()
    return dates.format_date(at, "long", locale=known(context.get("language") or "en"))


@register.filter
def opens(address: str, staff: User | None) -> bool:
    """{% if address|opens:staff %}: whether the role gets in there, so that no link leads to a no.

    True of what is no address of ours, such as a query alone: the page itself is open already.
    """
    try:
        access = guard.declared(resolve(address.partition("?")[0]).func)
    except Resolver404:
        return True
    return access is None or not isinstance(staff, User) or access.admits(staff.role)


@register.filter
def label_name(label: str) -> str:
    """Say a sensitivity label as pages call it: hiv as "HIV"."""
    return LABEL_NAMES.get(label, label)


@register.filter
def words(code: str) -> str:
    """Say a code as words: contact_point as "contact point"."""
    return str(code).replace("_", " ")
