"""The web server's way in."""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketing.settings")
_django = get_wsgi_application()

from django.urls import get_resolver  # noqa: E402  only now are there settings and models

from marketing.api import events_together  # noqa: E402
from marketing.api.front import Front  # noqa: E402

application = Front(_django, events_together.WAYS)

# What is loaded stays: collecting garbage need not look through it again, for every few thousand
# events of a batch. The addresses are loaded first, which else the first request would do.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
