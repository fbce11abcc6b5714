from __future__ import annotations

import sys

from django.apps import AppConfig
from django.conf import settings

SWITCH_SECONDS = 0.0005
"""After this, a thread that computes lets the interpreter go to one that waits for it.

A thread that sends a megabyte to the database needs the interpreter for a moment each time the
socket has room. At Python's own five milliseconds the server idles meanwhile: a part of an import
was stored in 60 µs a contact, and in 47 with this.
"""


class MarketingConfig(AppConfig):
    name = "marketing"

    def ready(self) -> None:
        from contacts.importing import sheets, sifting, undoing
        from contacts.merge import carried
        from contacts.segments.live import wake
        from marketing.campaigns.merged import Recipients
        from marketing.intake.fhir_form import FhirForm

        sys.setswitchinterval(SWITCH_SECONDS)
        sifting.register(sheets.FHIR, FhirForm())
        carried.register(Recipients())
        undoing.register("marketing_recipient")

        if settings.WAKES_FOLLOWERS:
            wake.register(ring)


def ring() -> None:
    """Send a message without content; it is not worth waiting or trying again for.

    One that lies for a second was overtaken by another look, or will be by the next tick.
    """
    from marketing.celery import PROMPT
    from marketing.tasks import look

    look.apply_async(queue=PROMPT, expires=1, retry=False, ignore_result=True)
