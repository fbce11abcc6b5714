"""What an author's HTML may do to whoever reads the mail: nothing (TR-01, SE-03).

Each is a kind of attack: through quotes that MJML drops, through what MJML brings itself, through
addresses that two parsers read differently, through elements that are text to one of them.
"""

from __future__ import annotations

import pytest

from messaging.making.safe_html import own, shape_problem, without_elements
from messaging.markup import forges_mark
from tests.messaging.mails import BODY, compiled, complaints

OWN = frozenset({"h.example"})
PICTURE = "https://h.example/x.png"
EVIL = "https://evil.example"


def refused(more: str, *, head: str = "") -> list[str]:
    return complaints(body=BODY + more, head=head, text="", purpose="treatment", own_hosts=OWN)


@pytest.mark.parametrize(
    "attack",
    [
        """<mj-text css-class='a" onclick="alert(1)'>x</mj-text>""",
        """<mj-text align='left" onclick="a'>x</mj-text>""",
        f"""<mj-image src="{PICTURE}" alt='a" onerror="alert(1)' />""",
        f"""<mj-image src="{PICTURE}" alt=a"onerror="alert(1)" />""",
        """<mj-button href='https://x.example/" onclick="alert(1)'>x</mj-button>""",
        f"""<mj-raw><img alt="" src="{PICTURE}"onerror="alert(1)"></mj-raw>""",
        f"""<mj-raw><img/alt=""/src="{PICTURE}"/onerror="alert(1)"></mj-raw>""",
        "<mj-text color='red;behavior:expression(alert(1))'>x</mj-text>",
    ],
)
def test_nothing_gets_out_of_its_quotes(attack: str) -> None:
    assert refused(attack)


@pytest.mark.parametrize(
    "element",
    ["applet", "bgsound", "button", "dialog", "frameset", "foreignobject", "isindex", "keygen",
     "listing", "marquee", "noembed", "noscript", "plaintext", "portal", "select", "svg", "math",
     "template", "textarea", "xmp", "v:rect", "custom-element", "script", "iframe", "form"],
)  # fmt: skip
def test_an_element_is_allowed_by_name_or_not_at_all(element: str) -> None:
    assert any(element in one for one in refused(f"<mj-raw><{element}>x</{element}></mj-raw>"))


@pytest.mark.parametrize(
    "attribute",
    ["action", "base-url", "data", "dynsrc", "formaction", "http-equiv", "is", "lowsrc", "manifest",
     "onclick", "ping", "srcdoc", "xlink:href"],
)  # fmt: skip
def test_an_attribute_that_acts_is_refused(attribute: str) -> None:
    wrong = refused(f'<mj-text><a href="https://a.example" {attribute}="{EVIL}">x</a></mj-text>')
    assert any(attribute in one for one in wrong)


@pytest.mark.parametrize(
    "attack",
    [
        '<mj-raw><noscript><p title="</noscript><img src=x onerror=x>"></p></noscript></mj-raw>',
        '<mj-raw><p title="</style><img src=x onerror=alert(1)>">x</p></mj-raw>',
        '<mj-raw><p title="&lt;img src=x onerror=alert(1)&gt;">x</p></mj-raw>',
        "<mj-raw><!--[if mso]><script>alert(1)</script><![endif]--></mj-raw>",
        "<mj-raw><![CDATA[<script>alert(1)</script>]]></mj-raw>",
        "<mj-text><?x > <script>alert(1)</script> ?>y</mj-text>",
        "<mj-raw><!-- a --!><script>alert(1)</script> --></mj-raw>",
    ],
)
def test_what_another_parser_reads_otherwise_is_refused(attack: str) -> None:
    assert refused(attack)


def test_a_title_holds_words_alone() -> None:
    head = "<mj-title>&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;</mj-title>"
    assert any("words alone" in one for one in refused("", head=head))


@pytest.mark.parametrize(
    ("brought", "host"),
    [
        ('<mj-social><mj-social-element name="facebook-noshare" href="https://f.example/">us'
         "</mj-social-element></mj-social>", "mailjet.com"),
        ("<mj-accordion><mj-accordion-element><mj-accordion-title>a</mj-accordion-title>"
         "<mj-accordion-text>b</mj-accordion-text></mj-accordion-element></mj-accordion>", "imgur"),
    ],
)  # fmt: skip
def test_icons_that_mjml_brings_from_elsewhere_are_refused(brought: str, host: str) -> None:
    assert any(host in one for one in refused(brought))


def test_icons_of_ones_own_pass() -> None:
    own_icons = (
        f'<mj-social><mj-social-element name="facebook-noshare" src="{PICTURE}" alt="Facebook" '
        'href="https://f.example/">us</mj-social-element></mj-social>'
        f'<mj-accordion icon-wrapped-url="{PICTURE}" icon-unwrapped-url="{PICTURE}">'
        "<mj-accordion-element><mj-accordion-title>a</mj-accordion-title>"
        "<mj-accordion-text>b</mj-accordion-text></mj-accordion-element></mj-accordion>"
    )
    assert refused(own_icons) == []


def test_a_link_that_mjml_turns_into_another_is_refused() -> None:
    shares = (
        f'<mj-social><mj-social-element name="facebook" src="{PICTURE}" href="https://f.example/">'
        "us</mj-social-element></mj-social>"
    )
    assert any("nobody wrote" in one for one in refused(shares))


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("src", f"{EVIL}/x.png"),
        ("src", f"{EVIL}\\@h.example/x.png"),
        ("src", "https://evil.example@h.example/x.png"),
        ("src", "//h.example/x.png"),
        ("src", "http://h.example/x.png"),
        ("src", "https://h.example\t.evil.example/x.png"),
        ("src", "https://[h.example/x.png"),
        ("src", "data:image/svg+xml,<svg/>"),
        ("srcset", f"{PICTURE} 1x, {EVIL}/b.png 2x"),
        ("srcset", f"{PICTURE}, "),
    ],
)
def test_a_picture_of_another_host_is_not_ones_own(name: str, address: str) -> None:
    assert not own(name, address, OWN)


@pytest.mark.parametrize(
    ("name", "address"), [("src", PICTURE), ("srcset", f"{PICTURE} 1x, {PICTURE} 2x")]
)
def test_a_picture_of_ones_own_host_is(name: str, address: str) -> None:
    assert own(name, address, OWN)


@pytest.mark.parametrize(
    "href",
    ["data:text/html,x", "javascript:alert(1)", "java&#10;script:alert(1)", "vbscript:x", "//evil",
     "&#1;javascript:alert(1)", "https://evil.example\\@harbor.example/", "https://a b.example",
     "https://[x"],
)  # fmt: skip
def test_a_link_leads_to_one_place_for_every_parser(href: str) -> None:
    assert refused(f'<mj-text><a href="{href}">x</a></mj-text>')


def test_a_link_is_rewritten_whatever_stands_before_its_address() -> None:
    link = '<a data-href="https://z.example/q" href="https://z.example/r">x</a>'
    made = compiled(body=f"<mj-text>{link}</mj-text>", text="", purpose="treatment")
    assert "https://z.example/r" not in made.html
    assert "https://z.example/r" in {one.destination for one in made.links}


@pytest.mark.parametrize(
    "source", ["a < b", "<a <a", "<mj-text>x<!-- y", "<![CDATA[x]]>", "<!-- a --><b"]
)
def test_what_never_ends_is_named_before_any_parser_looks_for_its_end(source: str) -> None:
    assert shape_problem(source)


def test_words_are_read_past_elements_and_comments() -> None:
    assert without_elements("a<b>b</b><!-- <i> -->c") == "abc"
    assert forges_mark("zq<i></i>0xq")


def test_a_picture_that_leads_somewhere_is_rewritten_like_any_link() -> None:
    picture = f'<mj-image src="{PICTURE}" alt="The clinic" href="https://harbor.example/door" />'
    made = compiled(body=picture, text="", purpose="treatment", own_hosts=OWN)
    assert [(one.destination, one.label) for one in made.links] == [
        ("https://harbor.example/door", "The clinic")
    ]
    assert "https://harbor.example/door" not in made.html + made.text
