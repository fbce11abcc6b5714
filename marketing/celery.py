"""The scheduler and its workers. The broker carries the names of loops and nothing else.

Every due thing is a row; a tick looks for it. A lost message costs one tick, a doubled one an empty
look, so messages are neither acknowledged late nor answered.
"""

from __future__ import annotations

import gc
import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_before_create_process
from django.conf import settings
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketing.settings")

PERIODS = {
    "triggers": 1.0,
    "runner": 1.0,
    "react": 1.0,
    "dispatch": 1.0,
    "campaigns": 1.0,
    "guard": 5.0,
    "receivers": 5.0,
    "reconcile": 20.0,
    "domains": 3600.0,
    "live": 1.0,
    "memberships": 1.0,
    "compact": 10.0,
    "imports": 1.0,
    "imports_beside": 1.0,
    "simulations": 2.0,
    "contests": 300.0,
    "webhooks": 1.0,
    "write_backs": 2.0,
    "write_backs_told": 2.0,
    "mailbox": 60.0,
    "visits": 1.0,
    "codes": 1.0,
    "seal": 5.0,
    "partitions": 3600.0,
    "sweep": 3600.0,
    "fields": 60.0,
    "duplicates": 600.0,
}
"""Seconds between two looks of each loop in marketing.loops."""
PROMPT = "prompt"
"""The queue of the loops that answer within a second or two. A worker of its own takes it, so that
an import or a campaign that keeps the others busy holds nobody up."""
PROMPTLY = frozenset({"live", "triggers", "react", "codes"})


def _queue(loop: str) -> str:
    return PROMPT if loop in PROMPTLY else "celery"


app = Celery("attune")
app.conf.update(
    broker_url=settings.BROKER_URL,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={"visibility_timeout": 60, "socket_connect_timeout": 1},
    # A worker that names no queue takes both.
    task_queues=[Queue(name, Exchange(name), routing_key=name) for name in ("celery", PROMPT)],
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,
    worker_max_memory_per_child=400_000,
    worker_send_task_events=False,
    imports=["marketing.tasks"],
    timezone="UTC",
    beat_schedule={
        # A tick that no worker took in time is dropped: the next one looks for the same rows.
        name: {
            "task": "marketing.tick",
            "schedule": period,
            "args": [name],
            "options": {"expires": 2 * period, "queue": _queue(name)},
        }
        for name, period in PERIODS.items()
    },
)


@setup_logging.connect
def use_our_logging(**_: Any) -> None:
    """Keep Celery from printing arguments and exception texts: the log withholds them."""
    logging.config.dictConfig(settings.LOGGING)


@worker_before_create_process.connect
def leave_what_is_loaded_alone(**_: Any) -> None:
    """What a worker starts with stays: collecting garbage need not look through it again."""
    gc.collect()
    gc.freeze()
