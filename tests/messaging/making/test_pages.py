"""What staff see and do of a message before it goes, and who may not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts import staff
from accounts.models import Organisation, User
from accounts.roles import Role
from audit.actor import Actor, acting_as
from contacts.segments import catalogue
from messaging import versions
from messaging.making import reviews
from messaging.making.models import ReviewRule, Step
from messaging.models import ContentBlock, Template, TemplateVersion, Translation
from tests.conftest import NOON
from tests.messaging.conftest import person, template
from tests.messaging.mails import BODY, FOOT, SUBJECT, TEXT, mjml

SignedIn = Callable[[User], Client]
OLDER = {"field": "birth_date", "op": "before", "value": "1961-01-01"}
DRAFT = {"name": "News", "subject": SUBJECT, "mjml": mjml(), "declared": ["given_name"]}


@pytest.fixture
def draft(at_harbor: Organisation) -> Template:
    return template()


@pytest.fixture
def ann(at_harbor: Organisation) -> User:
    return staff.add("ann@harbor.example", name="Ann Analyst", role=Role.ANALYST, now=NOON)


@pytest.fixture
def root(at_harbor: Organisation) -> User:
    return staff.add("root@harbor.example", name="Ria Root", role=Role.ADMINISTRATOR, now=NOON)


def read(client: Client, route: str, *args: object, query: str = "") -> str:
    answer = client.get(reverse(route, args=args) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def written(draft: Template) -> TemplateVersion:
    with acting_as(Actor("staff", "author")):
        return versions.save(draft, now=NOON)


PAGES = (
    "template", "template-flow", "template-languages", "template-conditions", "template-compare",
)  # fmt: skip


@pytest.mark.parametrize("route", PAGES)
def test_another_organisation_finds_no_page_of_it(
    sign_in_as: SignedIn, ivy: User, draft: Template, route: str
) -> None:
    """SE-01"""
    address = reverse(route, args=[draft.id])
    assert sign_in_as(ivy).get(address).status_code in (403, 404)


@pytest.mark.parametrize("route", ["template-languages", "template-conditions", "template-text"])
def test_who_only_reads_changes_nothing(
    sign_in_as: SignedIn, ann: User, draft: Template, route: str
) -> None:
    address = reverse(route, args=[draft.id])
    assert sign_in_as(ann).post(address, {"language": "es"}).status_code == 403


# PHI flow


def test_the_flow_is_a_picture_and_the_same_table(
    sign_in_as: SignedIn, mara: User, draft: Template
) -> None:
    """W8"""
    page = read(sign_in_as(mara), "template-flow", draft.id)
    assert page.count("flow-line printed") == 3  # address, body, text part
    assert "Given name → Body" in page
    assert "<td>Given name</td><td>identity</td>" in page
    assert "A signed authorization must cover" in page


def test_a_forbidden_flow_is_named_with_its_place(
    sign_in_as: SignedIn, mara: User, draft: Template
) -> None:
    """EM-07, CA-60"""
    Template.objects.update(subject="For {{ contact.conditions }}")
    page = read(sign_in_as(mara), "template-flow", draft.id)
    assert "1 forbidden flow: no version can be made" in page
    assert "flow-line forbidden class-clinical" in page


def test_what_the_audience_says_counts_in_the_flow(
    sign_in_as: SignedIn, mara: User, draft: Template
) -> None:
    Template.objects.update(audience=["clinical"])
    page = read(sign_in_as(mara), "template-flow", draft.id)
    assert "Audience as declared" in page
    assert "clinical, identity" in page


# Checks while typing


def test_checks_tell_how_hard_it_is_to_read_and_what_to_mind(
    sign_in_as: SignedIn, mara: User, draft: Template
) -> None:
    pale = DRAFT | {"mjml": mjml(BODY + '<mj-text color="#999999">Pale</mj-text>'), "text": ""}
    answer = sign_in_as(mara).post(reverse("template-problems", args=[draft.id]), pale)
    page = answer.content.decode()
    assert "contrast of 2.8" in page
    assert "No problems" in page


def test_the_text_part_is_made_on_request_and_nothing_is_saved(
    sign_in_as: SignedIn, mara: User, draft: Template
) -> None:
    typed = DRAFT | {"text": "old", "mjml": mjml(BODY + "<mj-text>Fresh words</mj-text>")}
    answer = sign_in_as(mara).post(reverse("template-text", args=[draft.id]), typed)
    assert "Fresh words" in answer.content.decode()
    draft.refresh_from_db()
    assert draft.text == TEXT


# Comparing


def test_two_versions_are_compared_word_by_word(
    sign_in_as: SignedIn, mara: User, draft: Template
) -> None:
    written(draft)
    draft.mjml, draft.text = mjml(BODY.replace("eat well", "sleep well")), ""
    written(draft)
    page = read(sign_in_as(mara), "template-compare", draft.id)
    assert "<del>eat</del>" in page
    assert "<ins>sleep</ins>" in page


def test_the_newest_is_compared_with_what_was_approved_last(
    sign_in_as: SignedIn, mara: User, draft: Template
) -> None:
    first = written(draft)
    with acting_as(Actor("staff", "nora")):
        versions.approve(first, now=NOON)
    for number in range(2):
        draft.subject = f"{SUBJECT} {number}"
        written(draft)
    page = read(sign_in_as(mara), "template-compare", draft.id)
    assert "From version 1 to 3" in page


def test_one_text_shows_gone_and_new_words_in_their_place(
    sign_in_as: SignedIn, mara: User, draft: Template
) -> None:
    written(draft)
    draft.subject = "Novelties"
    written(draft)
    page = read(sign_in_as(mara), "template-compare", draft.id, query="?view=inline")
    assert "diff-inline" in page
    assert "<ins>Novelties</ins>" in page


# Reviews


def test_the_review_page_lists_what_waits_for_the_reader(
    sign_in_as: SignedIn, approver: User, draft: Template
) -> None:
    """CA-72"""
    written(draft)
    page = read(sign_in_as(approver), "template-reviews")
    assert "News, version 1" in page
    assert "Nothing waits for you" not in page


def test_a_compliance_officer_gives_that_step_and_an_approver_cannot(
    sign_in_as: SignedIn, approver: User, omar: User, draft: Template
) -> None:
    """SE-20"""
    reviews.set_rules([ReviewRule(step=Step.COMPLIANCE)], now=NOON)
    version = written(draft)
    address = reverse("template-review", args=[draft.id, 1])
    word = {"step": "compliance", "verdict": "passed"}
    assert sign_in_as(approver).post(address, word).status_code == 403
    sign_in_as(omar).post(address, word)
    assert TemplateVersion.objects.get(pk=version.pk).approval.approver_id == str(omar.pk)


def test_ones_own_version_offers_no_button(
    sign_in_as: SignedIn, approver: User, draft: Template
) -> None:
    """SE-20"""
    with acting_as(Actor("staff", str(approver.pk))):
        versions.save(draft, now=NOON)
    page = read(sign_in_as(approver), "template-preview", draft.id, 1)
    assert "Send back" not in page


def test_what_was_sent_back_says_why(
    sign_in_as: SignedIn, approver: User, mara: User, draft: Template
) -> None:
    written(draft)
    word = {"step": "content", "verdict": "returned", "comment": "Too long."}
    sign_in_as(approver).post(reverse("template-review", args=[draft.id, 1]), word)
    page = read(sign_in_as(mara), "template", draft.id)
    assert "Sent back" in page
    assert "Too long." in page


def test_an_administrator_says_which_steps_are_asked(
    sign_in_as: SignedIn, root: User, mara: User, at_harbor: Organisation
) -> None:
    address = reverse("review-rules")
    chosen = {"steps": ["medical"], "medical-classes": ["clinical", "nonsense"]}
    assert sign_in_as(mara).post(address, chosen).status_code == 403
    sign_in_as(root).post(address, chosen)
    rule = ReviewRule.objects.get()
    assert (rule.step, rule.classes, rule.purposes) == ("medical", ["clinical"], [])


# Languages


def test_a_language_begins_with_the_words_as_they_are(
    sign_in_as: SignedIn, mara: User, draft: Template
) -> None:
    """AC-02"""
    client = sign_in_as(mara)
    client.post(reverse("template-languages", args=[draft.id]), {"language": "es"})
    row = Translation.objects.get()
    assert 'lang="es"' in row.mjml
    changed = {"subject": "Noticias", "mjml": row.mjml.replace("Dear", "Hola"), "text": ""}
    client.post(reverse("template-language", args=[draft.id, "es"]), changed)
    assert Translation.objects.get().subject == "Noticias"
    assert "Spanish" in read(client, "template-languages", draft.id)


def test_the_page_says_how_many_would_get_which(
    sign_in_as: SignedIn, omar: User, draft: Template
) -> None:
    """AC-02"""
    Translation.objects.create(
        template=draft, language="es", subject="x", mjml=mjml(), changed_at=NOON
    )
    for number, language in enumerate(["es", "es-MX", "en", "pl", ""]):
        person(f"p{number}", **({"language": language} if language else {}))
    segment = catalogue.save(
        name="Everybody", tree={"not": OLDER | {"value": "1900-01-01"}}, now=NOON
    )
    page = read(
        sign_in_as(omar), "template-spoken", draft.id, query=f"?segment={segment.id}"
    ).replace("\n", "")
    assert '<td>Spanish</td><td class="number">2</td>' in page
    assert '<td>English</td><td class="number">3</td>' in page


# Conditions


def test_a_condition_is_added_and_taken_out(
    sign_in_as: SignedIn, mara: User, draft: Template
) -> None:
    client = sign_in_as(mara)
    asked = {"label": "Over 65", "name": "over_65", "definition": '{"field": "birth_date", '
             '"op": "before", "value": "1961-01-01"}'}  # fmt: skip
    client.post(reverse("template-conditions", args=[draft.id]), asked)
    draft.refresh_from_db()
    assert draft.conditions == {"over_65": {"label": "Over 65", "definition": OLDER}}
    assert "birth_date" in read(client, "template-conditions", draft.id)
    client.post(reverse("template-condition-remove", args=[draft.id, "over_65"]))
    draft.refresh_from_db()
    assert draft.conditions == {}


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ("{", "This is not JSON"),
        ("", "one of the two"),
        ('{"field": "shoe", "op": "exists"}', "shoe"),
        ('{"all": []}', "empty group"),
    ],
)
def test_a_condition_that_cannot_be_asked_says_why(
    sign_in_as: SignedIn, mara: User, draft: Template, definition: str, said: str
) -> None:
    asked = {"label": "X", "name": "x", "definition": definition}
    answer = sign_in_as(mara).post(reverse("template-conditions", args=[draft.id]), asked)
    assert said in answer.content.decode()
    draft.refresh_from_db()
    assert draft.conditions == {}


# Blocks


def test_a_block_is_written_published_and_included(
    sign_in_as: SignedIn, mara: User, at_harbor: Organisation
) -> None:
    client = sign_in_as(mara)
    client.post(reverse("blocks"), {"name": "Footer", "kind": "footer"})
    block = ContentBlock.objects.get()
    saved = {"name": "Footer", "mjml": FOOT, "act": "publish"}
    client.post(reverse("block", args=[block.pk]), saved)
    assert block.versions.count() == 1
    template(mjml=mjml(BODY, foot='<mj-include path="footer" />'))
    page = read(client, "block", block.pk)
    assert "News" in page
    client.post(reverse("block-archive", args=[block.pk]))
    block.refresh_from_db()
    assert block.archived_at is None  # a draft includes it


@pytest.mark.parametrize("kind", ContentBlock.Kind.values)
def test_every_kind_of_block_begins_with_one_that_compiles(
    sign_in_as: SignedIn, mara: User, at_harbor: Organisation, kind: str
) -> None:
    client = sign_in_as(mara)
    client.post(reverse("blocks"), {"name": "New", "kind": kind})
    assert "No problems" in read(client, "block", ContentBlock.objects.get().pk)


def test_another_organisation_sees_no_block(
    sign_in_as: SignedIn, mara: User, ivy: User, at_harbor: Organisation
) -> None:
    """SE-01"""
    sign_in_as(mara).post(reverse("blocks"), {"name": "Footer", "kind": "footer"})
    block = ContentBlock.objects.get()
    assert sign_in_as(ivy).get(reverse("block", args=[block.pk])).status_code in (403, 404)


# Taking over


def test_an_html_mail_is_taken_over_and_what_is_left_out_is_told(
    sign_in_as: SignedIn, mara: User, at_harbor: Organisation
) -> None:
    html = '<p>Hi</p><img src="https://t.example/p.gif" alt="A bowl"><script>x</script>'
    given = {"act": "take", "name": "Old", "purpose": "treatment", "html": html}
    answer = sign_in_as(mara).post(reverse("templates"), given, follow=True)
    page = answer.content.decode()
    assert "1 things were left out: A picture: https://t.example/p.gif" in page
    assert "No problems" in page
    assert "script" not in Template.objects.get().mjml
