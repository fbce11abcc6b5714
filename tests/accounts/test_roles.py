from __future__ import annotations

import pytest

from accounts.roles import Permission


@pytest.mark.parametrize("permission", Permission)
def test_every_permission_says_in_words_what_it_lets_one_do(permission: Permission) -> None:
    assert permission.label
    assert permission.label != permission.value
