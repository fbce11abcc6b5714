"""One organisation with keys, in its scope."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts.models import Organisation


@pytest.fixture
def clinic(at_harbor: Organisation) -> Iterator[int]:
    """The id of our clinic, whose scope is entered."""
    yield at_harbor.pk
