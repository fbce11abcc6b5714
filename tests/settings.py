"""The product's own settings, in test mode."""

from __future__ import annotations

import os

os.environ["ATTUNE_MODE"] = "test"
for _name in ("DATABASE_URL", "DATABASE_OWNER_URL", "BROKER_URL"):
    os.environ.pop(_name, None)

from marketing.settings import *  # noqa: E402, F403
