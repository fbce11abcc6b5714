"""A file that may be read in more than one way, in the browser."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts import tenancy
from accounts.models import Organisation
from contacts.importing.models import ImportJob
from contacts.models import Contact, ImportRun
from tests.web.test_imports import brought, client, page, work_off

__all__ = ["client"]  # the fixture

BOTH = "MRN,First name\n1,In\u00eas\n".encode("cp1252")
"""Also a Polish spelling, as Central Europe writes."""


def test_letters_that_fit_two_encodings_are_asked_and_the_file_is_kept(
    client: Client, harbor: Organisation
) -> None:
    run = brought(client, harbor, BOTH)
    html = page(client, run, "columns/")
    assert "How is the file written?" in html
    assert "Windows, Western Europe (1252)" in html
    assert "\u00ea" in html
    assert "In\u00eas" not in html


def test_what_was_chosen_is_read_and_the_name_comes_in_as_it_was_written(
    client: Client, harbor: Organisation
) -> None:
    run = brought(client, harbor, BOTH)
    client.post(f"/imports/{run}/reading/", {"encoding": "cp1252", "delimiter": "", "head": ""})
    work_off(harbor)
    assert "What do the columns mean?" in page(client, run, "columns/")
    with tenancy.acting_for(harbor.pk):
        assert ImportJob.objects.get(pk=run).samples == [["1", "In\u00eas"]]
        assert not ImportRun.objects.get(pk=run).problems.exists()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b'MRN,First name\n1,"Ada\n2,Bob\n', "never ends"),
        (b"MRN,First name\n", "no row below"),
    ],
)
def test_a_file_that_cannot_be_read_so_says_where_and_asks_how_else(
    client: Client, harbor: Organisation, content: bytes, word: str
) -> None:
    assert word in page(client, brought(client, harbor, content), "columns/")


def test_a_wrong_choice_loses_nothing(client: Client, harbor: Organisation) -> None:
    run = brought(client, harbor, "MRN,First name\n1,Zo\u00eb\n".encode())
    client.post(f"/imports/{run}/reading/", {"encoding": "utf-32"})
    work_off(harbor)
    assert "How is the file written?" in page(client, run, "columns/")
    client.post(f"/imports/{run}/reading/", {"encoding": "utf-8-sig"})
    work_off(harbor)
    assert "What do the columns mean?" in page(client, run, "columns/")


def test_a_file_without_a_header_is_read_from_its_first_line(
    client: Client, harbor: Organisation
) -> None:
    run = brought(client, harbor, b"7,Ada\n8,Bob\n")
    client.post(f"/imports/{run}/reading/", {"delimiter": ",", "head": "0"})
    work_off(harbor)
    assert "Column A" in page(client, run, "columns/")
    given = {"dates": "iso", "means-0": "record_number", "means-1": "given_name"}
    client.post(f"/imports/{run}/columns/", given)
    work_off(harbor)
    client.post(f"/imports/{run}/start/")
    work_off(harbor)
    with tenancy.acting_for(harbor.pk):
        assert Contact.objects.count() == 2


def test_columns_of_a_file_that_could_not_be_read_cannot_be_chosen(
    client: Client, harbor: Organisation
) -> None:
    run = brought(client, harbor, BOTH)
    response = client.post(f"/imports/{run}/columns/", {"dates": "iso"})
    assert response.status_code == 200
    assert "How is the file written?" in response.content.decode()


def test_an_encoding_that_there_is_not_is_refused_in_words(
    client: Client, harbor: Organisation
) -> None:
    run = brought(client, harbor, BOTH)
    answer = client.post(f"/imports/{run}/reading/", {"encoding": "rot13"}, follow=True)
    assert "Encoding must be one of" in answer.content.decode()
