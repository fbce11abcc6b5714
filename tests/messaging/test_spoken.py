"""Each person is written to in their language where there is a variant, else in the fallback."""

from __future__ import annotations

import pytest

from accounts.models import Organisation
from messaging import dispatch, outbox
from messaging.making import languages
from messaging.models import TemplateVersion
from messaging.protect import Onward
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import SOURCE, approved, person, sign, template
from tests.messaging.test_dispatch import parsed


@pytest.fixture
def bilingual(at_harbor: Organisation) -> TemplateVersion:
    Organisation.objects.filter(pk=at_harbor.pk).update(web_origin="https://h.example")
    draft = template()
    row = languages.begin(draft, "es", now=NOON)
    row.subject = "Noticias de {{ organisation.name }}"
    row.mjml = row.mjml.replace("Dear", "Estimada")
    row.text = row.text.replace("Dear", "Estimada")
    languages.keep(row, now=NOON)
    return approved(draft)


@pytest.mark.parametrize(
    ("preferred", "subject", "greeting"),
    [
        ("es", "Noticias de Harbor Clinic", "Estimada"),
        ("es-MX", "Noticias de Harbor Clinic", "Estimada"),
        ("vi", "News from Harbor Clinic", "Dear"),
        (None, "News from Harbor Clinic", "Dear"),
    ],
)
def test_the_mail_that_goes_out_speaks_the_person_s_language(
    bilingual: TemplateVersion, memory: Memory, preferred: str | None, subject: str, greeting: str
) -> None:
    """AC-02"""
    values = {"language": preferred} if preferred else {}
    ada = person("ada", email="ada@example.org", given_name="Ada", **values)
    sign(ada)
    order = outbox.Order(ada, bilingual.id, "marketing", SOURCE, "news", 1, "", NOON)
    outbox.enqueue([order], now=NOON)
    dispatch.run_once(transport=memory, now=NOON, onward=Onward.ENFORCED)
    mail = parsed(memory.sent[0])
    assert mail["Subject"] == subject
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None and greeting in part.get_content()
