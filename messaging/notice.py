"""The mail that says a message waits on the portal. It says nothing else about the person."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from messaging import markup
from messaging.render import Parts, Rendered

if TYPE_CHECKING:
    from messaging.compose import Merged

SUBJECT = "A message for you from {{ organisation.name }}"
MJML = """<mjml lang="en">
  <mj-head>
    <mj-preview>Open it on our secure page.</mj-preview>
    <mj-attributes>
      <mj-all font-family="Helvetica, Arial, sans-serif" />
      <mj-text font-size="16px" line-height="1.5" color="#1f2937" />
    </mj-attributes>
  </mj-head>
  <mj-body background-color="#f3f4f6">
    <mj-section background-color="#ffffff" padding="24px">
      <mj-column>
        <mj-text font-size="14px" color="#4b5563">{{ organisation.name }}</mj-text>
        <mj-text font-size="22px" font-weight="bold">A message waits for you</mj-text>
        <mj-text>To keep it private, you read it on our secure page. Have your date of birth at
          hand. You need no account and no password.</mj-text>
        <mj-button href="{{ links.pickup }}" background-color="#1d4ed8" color="#ffffff"
          font-size="16px" inner-padding="14px 24px">Read the message</mj-button>
        <mj-text font-size="14px" color="#4b5563">The link works for three days. After that you
          can ask for a new one on the same page. If you did not expect this mail, you need not
          do anything.</mj-text>
        <mj-text font-size="13px" color="#4b5563">{{ organisation.name }}<br />
          {{ organisation.postal_address }}<br />
          <a href="{{ links.unsubscribe }}" style="color:#1d4ed8">Stop these mails</a></mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>"""
TEXT = """{{ organisation.name }}

A message waits for you. To keep it private, you read it on our secure page. Have your date of
birth at hand. You need no account and no password.

Read the message: {{ links.pickup }}

The link works for three days. After that you can ask for a new one on the same page. If you did
not expect this mail, you need not do anything.

{{ organisation.name }}
{{ organisation.postal_address }}

Stop these mails: {{ links.unsubscribe }}
"""


@lru_cache(maxsize=1)
def _parts() -> Parts:
    source, tags = markup.marked(MJML)
    return Parts(SUBJECT, markup.restored(markup.to_html(source, tags), tags), TEXT, {})


def render(merged: Merged) -> Rendered:
    """Return the notice for a message; no value of the contact takes part in it."""
    return _parts().render(
        {}, organisation=merged.organisation, addresses=merged.addresses.untracked()
    )
