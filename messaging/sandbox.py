"""The small language that merge fields are written in: Jinja2 with almost everything taken away.

Staff write templates, so a template is untrusted code. Two walls stand behind each other: `check`
walks the syntax tree and lets pass only what `_ALLOWED` names (no calls, no attribute but a
declared field, no arithmetic, loops over a contact's own short lists only), and what passes is
rendered in Jinja2's immutable sandbox with nothing in it but the filters below.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined, TemplateSyntaxError, nodes, pass_context
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST_LIST = 50
LONGEST_TAG = 300
MOST_TAGS = 500
DEEPEST = 12

ROOTS = ("contact", "organisation", "links")
ORGANISATION_FIELDS = frozenset({"name", "postal_address", "web_origin"})
LINK_FIELDS = frozenset({"unsubscribe", "choices"})
ITEM_ATTRIBUTES = frozenset(
    {"display", "code", "status", "date", "end", "at", "class", "value", "unit"}
)


class Blank(StrictUndefined):
    """A field without a value: a condition or a loop may ask for it, printing it is an error."""

    def __bool__(self) -> bool:  # type: ignore[override]
        return False

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        return iter(())


def in_zone(context: Context, moment: object) -> date:
    """Return the day, or the moment on the organisation's clock."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment) if len(moment) > 10 else date.fromisoformat(moment)
    if isinstance(moment, datetime):
        zone = ZoneInfo(context["organisation"].get("timezone", "UTC"))
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(zone)
    if isinstance(moment, date):
        return moment
    raise ValueError("this is not a date")


@pass_context
def day(context: Context, moment: object) -> str:
    """Return `4 May 2026`."""
    local = in_zone(context, moment)
    return f"{local.day} {local:%B %Y}"


@pass_context
def weekday(context: Context, moment: object) -> str:
    return f"{in_zone(context, moment):%A}"


@pass_context
def clock(context: Context, moment: object) -> str:
    """Return `9:05 am`."""
    local = in_zone(context, moment)
    if not isinstance(local, datetime):
        raise ValueError("this is a day without a time")
    return f"{local.hour % 12 or 12}:{local:%M} {'am' if local.hour < 12 else 'pm'}"


ALLOWED_FILTERS: Mapping[str, Callable[..., Any]] = {
    name: FILTERS[name]
    for name in ("default", "first", "last", "lower", "title", "trim", "truncate", "upper")
} | {"date": day, "weekday": weekday, "time": clock}


def environment(*, escape: bool) -> Environment:
    made = ImmutableSandboxedEnvironment(
        autoescape=escape, undefined=Blank, keep_trailing_newline=True, cache_size=0
    )
    made.filters = dict(ALLOWED_FILTERS)
    made.tests = {name: made.tests[name] for name in ("defined", "undefined")}
    made.globals = {}
    return made


HTML = environment(escape=True)
PLAIN = environment(escape=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in which part of the template, on which line of it."""

    part: str
    line: int
    message: str


@dataclass(slots=True)
class Reading:
    """What one part of a template reads, and what is wrong with it."""

    part: str
    declared: Collection[str]
    known: Collection[str]
    fields: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    organisation: set[str] = field(default_factory=set)
    unguarded: dict[str, int] = field(default_factory=dict)
    tested: set[str] = field(default_factory=set)
    loop_names: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def complain(self, line: int, message: str) -> None:
        self.problems.append(Problem(self.part, line, message))


_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.For,
    nodes.Name,
    nodes.Getattr,
    nodes.Const,
    nodes.Filter,
    nodes.Keyword,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.CondExpr,
)
_WHAT: dict[type, str] = {
    nodes.Call: "a call",
    nodes.Getitem: "square brackets",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.Macro: "macro",
    nodes.Assign: "set",
    nodes.AssignBlock: "set",
    nodes.FilterBlock: "a filter block",
    nodes.BinExpr: "arithmetic",
    nodes.Concat: "~",
    nodes.UnaryExpr: "arithmetic",
    nodes.List: "a list",
    nodes.Dict: "a dictionary",
    nodes.Tuple: "a tuple",
    nodes.With: "with",
    nodes.CallBlock: "call",
}


def check(source: str, reading: Reading) -> None:
    """Fill `reading` with what the source reads and with every problem found."""
    try:
        tree = PLAIN.parse(source)
    except TemplateSyntaxError as error:
        reading.complain(error.lineno, f"{error.message or 'This merge tag cannot be read'}.")
        return
    except (RecursionError, MemoryError):
        reading.complain(1, "The merge tags are nested too deeply.")
        return
    for line, kind, _value in PLAIN.lex(source):
        if kind == "raw_begin":
            reading.complain(line, "A raw block is not allowed in a template.")
    _visit(tree, reading, depth=0)


def _visit(node: nodes.Node, reading: Reading, *, depth: int) -> None:
    if not _permitted(node, reading, depth=depth):
        return
    if isinstance(node, nodes.Getattr):
        _attribute(node, reading)
        return
    if isinstance(node, nodes.Output):
        for shown in node.nodes:
            _note_unguarded(shown, reading)
    if isinstance(node, nodes.If | nodes.CondExpr):
        reading.tested |= {asked.attr for asked in node.test.find_all(nodes.Getattr)}
        reading.tested |= {node.test.attr} if isinstance(node.test, nodes.Getattr) else set()
    if isinstance(node, nodes.For):
        _loop(node, reading, depth=depth)
        return
    for child in node.iter_child_nodes():
        _visit(child, reading, depth=depth + 1)


def _permitted(node: nodes.Node, reading: Reading, *, depth: int) -> bool:
    complaint = _objection(node, reading, depth=depth)
    if complaint:
        reading.complain(node.lineno, complaint)
    return not complaint


def _objection(node: nodes.Node, reading: Reading, *, depth: int) -> str:
    if depth > DEEPEST:
        return "The merge tags are nested too deeply."
    if isinstance(node, nodes.Filter) and node.name not in ALLOWED_FILTERS:
        return f"There is no filter {node.name!r}; there are {', '.join(sorted(ALLOWED_FILTERS))}."
    if isinstance(node, nodes.Filter) and node.node is None:
        return "A filter block is not allowed in a template."
    if isinstance(node, nodes.Test) and node.name not in PLAIN.tests:
        return f"There is no test {node.name!r}; ask 'is defined'."
    if isinstance(node, nodes.Name) and node.name not in reading.loop_names:
        return f"{node.name!r} alone means nothing; write contact.given_name, for example."
    if not isinstance(node, _ALLOWED):
        what = _what(node)
        return f"{what.capitalize()} is not allowed in a template."
    return ""


def _what(node: nodes.Node) -> str:
    """Return an author's word for a piece of syntax."""
    kinds: list[type] = [*type(node).__mro__]
    return next((_WHAT[kind] for kind in kinds if kind in _WHAT), type(node).__name__)


def _attribute(node: nodes.Getattr, reading: Reading) -> None:
    root = node.node.name if isinstance(node.node, nodes.Name) else ""
    if root in reading.loop_names:
        if node.attr not in ITEM_ATTRIBUTES:
            known = ", ".join(sorted(ITEM_ATTRIBUTES))
            reading.complain(
                node.lineno, f"An entry of a list has no {node.attr!r}; it has {known}."
            )
    elif root == "contact":
        _contact_field(node, reading)
    elif root == "organisation":
        _named(node, ORGANISATION_FIELDS, reading.organisation, reading)
    elif root == "links":
        _named(node, LINK_FIELDS, reading.links, reading)
    else:
        reading.complain(
            node.lineno, f"A merge field begins with {', '.join(ROOTS)} and has one dot."
        )


def _contact_field(node: nodes.Getattr, reading: Reading) -> None:
    if node.attr not in reading.known:
        reading.complain(node.lineno, f"There is no contact field {node.attr!r}.")
    elif node.attr not in reading.declared:
        reading.complain(
            node.lineno, f"contact.{node.attr} is not declared; add it to the template's fields."
        )
    else:
        reading.fields.add(node.attr)


def _named(node: nodes.Getattr, known: Collection[str], found: set[str], reading: Reading) -> None:
    if node.attr in known:
        found.add(node.attr)
        return
    reading.complain(
        node.lineno, f"There is no {node.attr!r} here; there is {', '.join(sorted(known))}."
    )


def _loop(node: nodes.For, reading: Reading, *, depth: int) -> None:
    """Let a loop run over one list of the contact; its body may not hold another loop."""
    over = node.iter
    if isinstance(over, nodes.Filter):
        over = over.node or over
    of_contact = (
        isinstance(over, nodes.Getattr)
        and isinstance(over.node, nodes.Name)
        and over.node.name == "contact"
    )
    if not of_contact or not isinstance(node.target, nodes.Name) or node.recursive:
        reading.complain(node.lineno, "A loop runs over one list of the contact, nothing else.")
        return
    if reading.loop_names:
        reading.complain(node.lineno, "A loop inside a loop is not allowed.")
        return
    if node.target.name in {*ROOTS, "loop"}:
        reading.complain(
            node.lineno, f"Name the loop's entry something other than {node.target.name!r}."
        )
        return
    _visit(node.iter, reading, depth=depth + 1)
    reading.loop_names.add(node.target.name)
    for child in [*node.body, *node.else_, *([node.test] if node.test else [])]:
        _visit(child, reading, depth=depth + 1)
    reading.loop_names.discard(node.target.name)


def _note_unguarded(shown: nodes.Node, reading: Reading) -> None:
    """Remember a contact field that is printed with nothing to say when it has no value."""
    names: set[str] = set()
    while isinstance(shown, nodes.Filter) and shown.node is not None:
        names.add(shown.name)
        shown = shown.node
    if "default" in names or not isinstance(shown, nodes.Getattr):
        return
    if isinstance(shown.node, nodes.Name) and shown.node.name == "contact":
        reading.unguarded.setdefault(shown.attr, shown.lineno)


@dataclass(frozen=True, slots=True)
class Tag:
    """One `{{ ... }}` or `{% ... %}` as it stands in the source."""

    line: int
    source: str
    printed: bool


def pieces(source: str) -> Iterator[str | Tag]:
    """Split an accepted source into plain text and merge tags; comments leave their lines."""
    held: list[str] = []
    began = 0
    begun_by = ""
    for line, kind, value in PLAIN.lex(source):
        if kind == "data":
            yield value
        elif kind.endswith("_begin"):
            held, began, begun_by = [value], line, kind
        elif kind.endswith("_end"):
            held.append(value)
            source = "".join(held)
            if begun_by.startswith("comment"):
                yield "\n" * source.count("\n")
            else:
                yield Tag(began, source, begun_by.startswith("variable"))
        else:
            held.append(value)
