"""The mail that says a message waits on the portal. It says nothing else about the person."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from messaging import markup
from messaging.links import Addresses
from messaging.render import Parts, Rendered
from messaging.words import known, mails, said

MJML = """<mjml lang="{language}">
  <mj-head>
    <mj-preview>{preview}</mj-preview>
    <mj-attributes>
      <mj-all font-family="Helvetica, Arial, sans-serif" />
      <mj-text font-size="16px" line-height="1.5" color="#1f2937" />
    </mj-attributes>
  </mj-head>
  <mj-body background-color="#f3f4f6">
    <mj-section background-color="#ffffff" padding="24px">
      <mj-column>
        <mj-text font-size="14px" color="#4b5563">{{{{ organisation.name }}}}</mj-text>
        <mj-text font-size="22px" font-weight="bold">{title}</mj-text>
        <mj-text>{lead}</mj-text>
        <mj-button href="{{{{ links.pickup }}}}" background-color="#1d4ed8" color="#ffffff"
          font-size="16px" inner-padding="14px 24px">{read}</mj-button>
        <mj-text font-size="14px" color="#4b5563">{lasts}</mj-text>
        <mj-text font-size="13px" color="#4b5563">{{{{ organisation.name }}}}<br />
          {{{{ organisation.postal_address }}}}<br />
          <a href="{{{{ links.unsubscribe }}}}" style="color:#1d4ed8">{stop}</a></mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>"""
TEXT = """{{{{ organisation.name }}}}

{title}

{lead}

{read}: {{{{ links.pickup }}}}

{lasts}

{{{{ organisation.name }}}}
{{{{ organisation.postal_address }}}}

{stop}: {{{{ links.unsubscribe }}}}
"""


@lru_cache(maxsize=8)
def _parts(language: str) -> Parts:
    words = said(mails.NOTICE, language)
    source, tags = markup.marked(MJML.format(language=language, **words))
    html = markup.restored(markup.to_html(source, tags), tags)
    return Parts(words["subject"], html, TEXT.format(**words), {})


def render(language: str, organisation: Mapping[str, str], addresses: Addresses) -> Rendered:
    """Return the notice for a message; no value of the contact but the language takes part."""
    return _parts(known(language) or "en").render(
        {}, organisation=organisation, addresses=addresses.untracked()
    )
