"""Put a workflow's canvas on a page: `{% load canvas %}{% canvas plan %}`."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()


@register.inclusion_tag("canvas/canvas.html")
def canvas(plan: dict[str, Any]) -> dict[str, Any]:
    """Draw a plan of `marketing.web.canvas.plan`, with the same as a table beneath."""
    titles = {step["id"]: step["title"] for step in plan["steps"]}
    rows = [
        {
            "step": step,
            "ways": [
                {"label": way["label"], "to": titles[way["to"]]}
                for way in plan["ways"]
                if way["from"] == step["id"]
            ],
        }
        for step in plan["steps"]
    ]
    return {"plan": plan, "rows": rows}
