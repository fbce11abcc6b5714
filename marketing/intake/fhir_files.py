"""Import FHIR files at once, by the same steps as behind the scenes, each worked off here.

The files are one import: what one says of patients in another finds them. They are checked whole
first; with one refused entry nothing is written, unless refused entries may be left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from pathlib import Path

from contacts.importing import accepting, csv_files
from contacts.importing.broken import FileBroken
from contacts.importing.jobs import After
from contacts.importing.runs import Problem, Report, State, Tally
from contacts.importing.sheets import FHIR
from marketing.intake import fhir_form

SOURCE = "fhir"
MOST_BYTES = 16 * 1024**3


def import_files(
    paths: Sequence[Path],
    *,
    now: datetime,
    source: str = SOURCE,
    email_domain: str = "",
    dry_run: bool = False,
    strict: bool = True,
    names: Sequence[str] = (),
) -> Report:
    """Check the files and, unless it is a dry run or anything is wrong, store what they say.

    `source` names the system whose resource ids these are. `email_domain` gives patients without
    an e-mail address one there, made of a keyed hash: for test patients only. `names` are what
    messages call the files, where the paths are not what a person knows them by.
    """
    called = list(names) or [path.name for path in paths]
    sizes = [_size(path) for path in paths]
    try:
        run = accepting.accept(
            chain.from_iterable(csv_files.parts(path) for path in paths),
            name=", ".join(called),
            source=source,
            now=now,
            after=After.CHECK if dry_run else After.RUN,
            strict=strict,
            choice={"email_domain": email_domain},
            form=FHIR,
            most=MOST_BYTES,
            reading={"files": [list(pair) for pair in zip(called, sizes, strict=True)]},
        )
    except FileBroken as broken:
        return Report(State.REFUSED, Tally(), [Problem(called[0], broken.reason)])
    report = csv_files.worked_off(run, now=now)
    told = [one._replace(place=_by_name(one.place, called)) for one in report.problems]
    return replace(report, problems=told)


def _by_name(place: str, names: Sequence[str]) -> str:
    """Return a place with the name of its file, for whoever named the files here."""
    for number, name in enumerate(names):
        shown = fhir_form.called(names, number)
        if place == (shown or "the file"):
            return name
        if place.startswith(f"{shown}, " if shown else "line "):
            return f"{name}, {place.removeprefix(f'{shown}, ')}"
    return place


def _size(path: Path) -> int:
    return path.stat().st_size
