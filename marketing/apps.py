from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings


class MarketingConfig(AppConfig):
    name = "marketing"

    def ready(self) -> None:
        from contacts.importing import sheets, sifting, undoing
        from contacts.merge import carried
        from contacts.segments.live import wake
        from marketing.campaigns.merged import Recipients
        from marketing.intake.fhir_form import FhirForm

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
