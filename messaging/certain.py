"""What everybody gets, whatever the conditions say: a way to unsubscribe, for one. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import nodes

NOTHING: frozenset[str] = frozenset()


def printed(body: Sequence[nodes.Node]) -> frozenset[str]:
    """Return what is printed whichever way each condition goes, such as `links.unsubscribe`."""
    return NOTHING.union(*(_of(node) for node in body))


def _of(node: nodes.Node) -> frozenset[str]:
    if isinstance(node, nodes.If):
        ways = [node.body, *(each.body for each in node.elif_), node.else_]
        return frozenset.intersection(*(printed(way) for way in ways))
    if isinstance(node, nodes.CondExpr):
        return _of(node.expr1) & (_of(node.expr2) if node.expr2 else NOTHING)
    if isinstance(node, nodes.Output):
        return printed(node.nodes)
    if isinstance(node, nodes.Filter) and node.node is not None:
        return _of(node.node)
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return frozenset({f"{node.node.name}.{node.attr}"})
    return NOTHING
