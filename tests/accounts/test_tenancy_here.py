"""An organisation's scope that lasts as long as one transaction."""

from __future__ import annotations

import pytest
from django.db import transaction

from accounts import tenancy
from accounts.models import Organisation, User
from tests.accounts.test_tenancy import told


@pytest.mark.usefixtures("committed_db")
def test_acting_here_ends_with_its_transaction(mara: User, harbor: Organisation) -> None:
    """SE-01"""
    with transaction.atomic(), tenancy.acting_here(harbor.pk):
        assert told() == str(tenancy.current()) == str(harbor.pk)
        assert User.objects.get() == mara
    assert told() == ""
    assert tenancy.current_or_none() is None
    assert not User.objects.exists()
