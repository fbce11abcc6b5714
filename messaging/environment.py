"""Where an accepted template is rendered: Jinja2's immutable sandbox with our filters alone in it.

The second wall behind `sandbox.check`. What has no value is in no relation to anything, and a dot
reaches the entries of a mapping alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import Environment, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from messaging.filters import ALLOWED_FILTERS, finalize


class Blank(StrictUndefined):
    """A field without a value: printing it is an error. Asked, it is in no relation to anything:
    every comparison is false, as in segments; a loop over it is empty."""

    def __bool__(self) -> bool:  # type: ignore[override]
        return False

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        return iter(())

    def __eq__(self, other: object) -> bool:  # type: ignore[override]
        return False

    def __ne__(self, other: object) -> bool:  # type: ignore[override]
        return True

    def _no(self, other: object) -> bool:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _no  # type: ignore[assignment]

    def __hash__(self) -> int:  # type: ignore[override]
        return id(type(self))


class _Entries(ImmutableSandboxedEnvironment):
    """Lets a dot reach the entries of a mapping and nothing else: `when.values` is the condition of
    that name, never a method of the mapping it stands in, which would hold for everybody."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if (type(obj) is dict or isinstance(obj, Mapping)) and attribute in obj:
            return obj[attribute]
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        return self.getattr(obj, str(argument))


def environment(*, escape: bool) -> Environment:
    made = _Entries(
        autoescape=escape,
        undefined=Blank,
        keep_trailing_newline=True,
        cache_size=0,
        finalize=finalize,
    )
    made.filters = dict(ALLOWED_FILTERS)
    made.tests = {name: made.tests[name] for name in ("defined", "undefined")}
    made.globals = {}
    return made


HTML = environment(escape=True)
PLAIN = environment(escape=False)
