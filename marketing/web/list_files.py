"""Files of addresses and numbers that go in and out by hand: one form, one answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse

from consent.choices.suppression_files import FileRefused

LARGEST = 20 * 1024 * 1024
TOLD = 20
"""Faults of a file that a page names."""
Took = TypeVar("Took")


class TakesFile(forms.Form):
    """A form with a `file`, which has its limit."""

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST:
            raise forms.ValidationError("It is larger than 20 MB; split it.")
        return file


def taken(form: TakesFile, take: Callable[[bytes], Took]) -> Took | None:
    """Take the file in and return what came of it; None where the form now says what is wrong."""
    if not form.is_valid():
        return None
    try:
        return take(form.cleaned_data["file"].read())
    except FileRefused as wrong:
        form.add_error("file", f"Nothing was taken: {wrong}.")
        return None


def download(content: str, name: str) -> HttpResponse:
    """Answer with a CSV file that nobody keeps on the way."""
    answer = HttpResponse(content, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer
