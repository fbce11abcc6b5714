"""What a new template begins with: a mail, or a text message, that compiles."""

from __future__ import annotations

STARTER = """<mjml>
  <mj-head>
    <mj-title>Title of the mail</mj-title>
    <mj-preview>What people see before they open it</mj-preview>
    <mj-attributes>
      <mj-all font-family="Helvetica, Arial, sans-serif" />
      <mj-text font-size="17px" line-height="1.6" color="#1f2a37" />
    </mj-attributes>
  </mj-head>
  <mj-body background-color="#eef3f1">
    <mj-section background-color="#ffffff">
      <mj-column>
        <mj-text>Dear {{ contact.given_name | default("neighbor") }},</mj-text>
        <mj-text>Write here.</mj-text>
      </mj-column>
    </mj-section>
    <mj-section>
      <mj-column>
        <mj-text font-size="14px">{{ organisation.name }}, {{ organisation.postal_address }}<br />
          <a href="{{ links.unsubscribe }}">Stop these mails</a></mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>"""
TEXT_STARTER = (
    "{{ organisation.name }}: write here. Questions? {{ organisation.web_origin }} "
    "Reply STOP to end."
)
