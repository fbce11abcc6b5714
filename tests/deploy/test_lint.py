"""The checks of our own find what they are for."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.lint import licences, secrets, templates


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('<p style="color:red">', "inline style"),
        ('<button onclick="go()">', "event handler"),
        ("<script>go()</script>", "script block"),
        ('<img src="https://cdn.example/a.png">', "another site"),
        ('<script src="//cdn.example/a.js"></script>', "another site"),
        ("{% url 'nowhere' %}", "no address is named nowhere"),
        ('<form method="post"></form>', "csrf_token"),
    ],
)
def test_a_template_s_fault_is_named_with_its_line(text: str, sentence: str) -> None:
    (problem,) = templates.problems(Path("page.html"), f"<p>\n{text}", names=frozenset({"home"}))
    assert problem.line == 2
    assert sentence in problem.sentence


def test_a_sound_template_has_no_fault() -> None:
    text = """<a href="{% url 'home' %}" class="x"><script src="/static/shell.js"></script>
        <form method="post">{% csrf_token %}</form><a href="https://example.org">elsewhere</a>"""
    assert not list(templates.problems(Path("p.html"), text, names=frozenset({"home"})))


def test_a_patient_s_form_needs_no_token_but_the_link_s() -> None:
    page = Path("templates/messaging/unsubscribe.html")
    assert not list(templates.problems(page, '<form method="post"></form>', names=frozenset()))


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE " + "KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA",
        "key = AKIA" + "ABCDEFGHIJKLMNOP",
        "postgresql://attune:hunter" + "22@db.clinic.example/attune",
        'SECRET_KEY = "' + "a1b2c3d4" * 5 + '"',
    ],
)
def test_a_secret_is_found(text: str) -> None:
    assert [line for line, _ in secrets.findings(f"\n{text}")] == [2]


def test_a_reading_of_the_environment_is_no_secret() -> None:
    text = 'SECRET_KEY = environment.secret("SECRET_KEY")\nurl = f"postgresql://{user}:{word}@db"'
    assert not list(secrets.findings(text))


def test_every_run_time_dependency_has_an_accepted_licence() -> None:
    assert licences.main() == 0


def test_an_unknown_licence_is_not_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(licences, "READ_BY_US", {"django": "AGPL-3.0-only"})
    assert [p.split(":")[0] for p in licences.problems(["django"])] == ["django"]
