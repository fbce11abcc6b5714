"""The small language that merge fields are written in: Jinja2 with almost everything taken away.

Staff write templates, so a template is untrusted code. Two walls stand behind each other: `check`
walks the syntax tree and lets pass only what `_ALLOWED` names (no calls, no attribute but a
declared field, no arithmetic, loops over a contact's own short lists only), and what passes is
rendered in Jinja2's immutable sandbox with nothing in it but the filters below.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from jinja2 import TemplateSyntaxError, nodes

from messaging.certain import printed
from messaging.environment import PLAIN
from messaging.fallbacks import assured, printed_field
from messaging.filters import ALLOWED_FILTERS, FORMS, MOST_ARGUMENTS, OF_DATES, OF_NUMBERS

LONGEST_LIST = 50
LONGEST_TAG = 300
TOO_LONG = f"A merge tag is at most {LONGEST_TAG} characters long."
MOST_TAGS = 500
DEEPEST = 12
MOST_DIGITS = 6

ROOTS = ("contact", "organisation", "links", "when")
ORGANISATION_FIELDS = frozenset({"name", "postal_address", "web_origin"})
LINK_FIELDS = frozenset({"unsubscribe", "choices"})
ITEM_ATTRIBUTES = frozenset(
    {"display", "code", "status", "date", "end", "at", "class", "value", "unit"}
)
ALWAYS_THERE = frozenset({"display", "code", "status"})
"""What every entry of a list has; the rest needs a fallback."""
SURE = frozenset({"email"})
"""A mail goes to an address, so there is one."""


# What no author can type stands for links and marks, and half a letter cannot be sent.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ue000\ue001]")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in which part of the template, on which line of it."""

    part: str
    line: int
    message: str
    code: str = ""
    """Names a kind of problem for machines, where there is something to look up about it."""
    language: str = ""
    """Of the translation that it stands in; empty for the template's own language."""


@dataclass(slots=True)
class Reading:
    """What one part of a template reads, and what is wrong with it."""

    part: str
    declared: Collection[str]
    known: Collection[str]
    kinds: Mapping[str, str] = field(default_factory=dict)
    """The type of each field, by its name in `contacts.fields.FieldType`."""
    conditions: Collection[str] = ()
    fields: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    organisation: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    """The template's own conditions that it asks."""
    certain: frozenset[str] = frozenset()
    """What everybody gets of it, whatever the conditions say."""
    loop_names: set[str] = field(default_factory=set)
    sure: frozenset[str] = SURE
    """What has a value here: what a condition around this place asked for."""
    problems: list[Problem] = field(default_factory=list)
    missing: list[Problem] = field(default_factory=list)
    """Fields that are not declared, or may have no value and nothing to stand in: told beside all
    other problems, so that what is worse (where they stand) is told too."""

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
        if long := _too_long(source):
            reading.complain(long, TOO_LONG)
            return
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
    reading.certain = printed(tree.body)
    _visit(tree, reading, depth=0)


def _too_long(source: str) -> int:
    """Return the line of a merge tag that is longer than any that means something, else 0: nothing
    of that length is given to the parser."""
    tags = (piece for piece in pieces(source) if isinstance(piece, Tag))
    return next((tag.line for tag in tags if len(tag.source) > LONGEST_TAG), 0)


def _visit(node: nodes.Node, reading: Reading, *, depth: int) -> None:
    if not _permitted(node, reading, depth=depth):
        return
    if isinstance(node, nodes.Getattr):
        _attribute(node, reading)
        return
    if isinstance(node, nodes.If | nodes.CondExpr):
        _branches(node, reading, depth=depth)
        return
    if isinstance(node, nodes.For):
        _loop(node, reading, depth=depth)
        return
    if isinstance(node, nodes.Output):
        for shown in node.nodes:
            _needs_fallback(shown, reading)
    for child in node.iter_child_nodes():
        _visit(child, reading, depth=depth + 1)


def _branches(node: nodes.If | nodes.CondExpr, reading: Reading, *, depth: int) -> None:
    """Visit each way with what is sure there: inside `if contact.city`, there is a city."""
    _visit(node.test, reading, depth=depth + 1)
    around = reading.sure
    yes, no = assured(node.test, holds=True), assured(node.test, holds=False)
    if isinstance(node, nodes.CondExpr):
        ways: list[tuple[list[nodes.Node], frozenset[str]]] = [
            ([node.expr1], yes), ([node.expr2] if node.expr2 else [], no),
        ]  # fmt: skip
    else:
        ways = [(list(node.body), yes), ([*node.elif_, *node.else_], no)]
    for inside, sure in ways:
        reading.sure = around | sure
        for child in inside:
            _visit(child, reading, depth=depth + 1)
            if isinstance(node, nodes.CondExpr):
                _needs_fallback(child, reading)
    reading.sure = around


def _needs_fallback(shown: nodes.Node, reading: Reading) -> None:
    """A field that is printed may have no value: the template says what stands there instead."""
    found = printed_field(shown)
    if found is None:
        return
    root, attr = found
    if root == "contact":
        named, missing = f"contact.{attr}", attr in reading.declared and attr not in reading.sure
    else:
        named = f"{root}.{attr}"
        missing = root in reading.loop_names and attr not in ALWAYS_THERE
        missing = missing and attr in ITEM_ATTRIBUTES and named not in reading.sure
    if missing:
        message = (
            f'{named} may have no value: write {{{{ {named} | default("…") }}}} or ask first '
            f"with {{% if {named} %}}."
        )
        reading.missing.append(Problem(reading.part, shown.lineno, message, "fallback"))


def _permitted(node: nodes.Node, reading: Reading, *, depth: int) -> bool:
    complaint = _objection(node, reading, depth=depth)
    if complaint:
        reading.complain(node.lineno, complaint)
    return not complaint


def _objection(node: nodes.Node, reading: Reading, *, depth: int) -> str:
    if depth > DEEPEST:
        return "The merge tags are nested too deeply."
    if isinstance(node, nodes.Filter):
        return _filter_objection(node, reading)
    if isinstance(node, nodes.Const) and isinstance(node.value, str) and _UNSEEN.search(node.value):
        return "A text in quotes holds a control character."
    if isinstance(node, nodes.Test) and node.name not in PLAIN.tests:
        return f"There is no test {node.name!r}; ask 'is defined'."
    if isinstance(node, nodes.Name) and node.name not in reading.loop_names:
        return f"{node.name!r} alone means nothing; write contact.given_name, for example."
    if not isinstance(node, _ALLOWED):
        what = _what(node)
        return f"{what.capitalize()} is not allowed in a template."
    return ""


def _filter_objection(node: nodes.Filter, reading: Reading) -> str:
    if node.name not in ALLOWED_FILTERS:
        return f"There is no filter {node.name!r}; there are {', '.join(sorted(ALLOWED_FILTERS))}."
    if node.node is None:
        return "A filter block is not allowed in a template."
    least, most = MOST_ARGUMENTS[node.name]
    given = len(node.args) + len(node.kwargs)
    if not least <= given <= most or node.dyn_args or node.dyn_kwargs:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        return f"The filter {node.name!r} takes {wanted} arguments; it has {given}."
    if node.name == "date" and given:
        form = (node.args or [each.value for each in node.kwargs])[0]
        if not isinstance(form, nodes.Const) or form.value not in FORMS:
            return f"A date is written as one of {', '.join(FORMS)}."
    if node.name == "number" and given:
        digits = (node.args or [each.value for each in node.kwargs])[0]
        if not isinstance(digits, nodes.Const) or digits.value not in range(MOST_DIGITS + 1):
            return f"A number has 0 to {MOST_DIGITS} digits after the point."
    return _misfit(node, reading)


def _misfit(node: nodes.Filter, reading: Reading) -> str:
    """Say where a filter of dates or numbers is put on something else."""
    inner = node.node
    if isinstance(inner, nodes.Filter) and inner.name == "default":
        if node.name in (*OF_DATES, *OF_NUMBERS):
            return f"Write default after {node.name}: it says what stands there instead of it."
        return ""
    if not isinstance(inner, nodes.Getattr) or not isinstance(inner.node, nodes.Name):
        return ""
    kind = reading.kinds.get(inner.attr, "") if inner.node.name == "contact" else ""
    fitting = {**dict.fromkeys(OF_DATES, DATED), **dict.fromkeys(OF_NUMBERS, NUMERIC)}
    if kind and kind not in fitting.get(node.name, (kind,)):
        return f"contact.{inner.attr} is not what the filter {node.name!r} is for."
    if node.name == "time" and kind == "date":
        return f"contact.{inner.attr} is a day without a time."
    return ""


DATED, NUMERIC = ("date", "datetime"), ("number", "decimal")


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
    elif root == "when":
        _condition(node, reading)
    else:
        reading.complain(
            node.lineno, f"A merge field begins with {', '.join(ROOTS)} and has one dot."
        )


def _condition(node: nodes.Getattr, reading: Reading) -> None:
    if node.attr in reading.conditions:
        reading.asked.add(node.attr)
        return
    known = ", ".join(sorted(reading.conditions)) or "none yet"
    reading.complain(node.lineno, f"The template has no condition {node.attr!r}; it has {known}.")


def _contact_field(node: nodes.Getattr, reading: Reading) -> None:
    if node.attr not in reading.known:
        reading.complain(node.lineno, f"There is no contact field {node.attr!r}.")
        return
    reading.fields.add(node.attr)
    if node.attr not in reading.declared:
        message = f"contact.{node.attr} is not declared; add it to the template's fields."
        reading.missing.append(Problem(reading.part, node.lineno, message, "undeclared"))


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
