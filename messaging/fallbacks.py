"""Where a merge field may have no value, and what a condition around it makes sure of. Pure.

A mail that says "Dear ," is worse than none, so what is printed and may be missing says in the
template what stands in its place (pain of every merge language; required, not advised).
"""

from __future__ import annotations

from jinja2 import nodes


def printed_field(shown: nodes.Node) -> tuple[str, str] | None:
    """Return root and attribute of a field that is printed with nothing to stand in for it.

    Counts and plurals of what is not there are themselves not there, so they need a default too.
    """
    while isinstance(shown, nodes.Filter) and shown.node is not None:
        if shown.name == "default":
            return None
        shown = shown.node
    if isinstance(shown, nodes.Getattr) and isinstance(shown.node, nodes.Name):
        return shown.node.name, shown.attr
    return None


def assured(test: nodes.Node, *, holds: bool) -> frozenset[str]:
    """Return the fields that have a value where the test holds, or where it does not."""
    if isinstance(test, nodes.Not):
        return assured(test.node, holds=not holds)
    if isinstance(test, nodes.And | nodes.Or):
        left, right = (assured(each, holds=holds) for each in (test.left, test.right))
        # Both sides of an `and` hold; of an `or` that fails, neither does.
        return left | right if isinstance(test, nodes.And) == holds else left & right
    if isinstance(test, nodes.Test):
        named = _name(test.node)
        there = (test.name == "defined") == holds
        return frozenset({named}) if named and there else frozenset()
    if isinstance(test, nodes.Compare):
        # A comparison with what is missing is false, save the one that says "is not".
        named = _name(test.expr)
        positive = all(each.op != "ne" for each in test.ops)
        return frozenset({named}) if named and positive == holds and positive else frozenset()
    named = _name(test)
    return frozenset({named}) if named and holds else frozenset()


def _name(node: nodes.Node | None) -> str:
    while isinstance(node, nodes.Filter):
        if node.name == "default":
            return ""
        node = node.node
    if not isinstance(node, nodes.Getattr) or not isinstance(node.node, nodes.Name):
        return ""
    return node.attr if node.node.name == "contact" else f"{node.node.name}.{node.attr}"
