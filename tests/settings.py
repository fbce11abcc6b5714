"""The product's own settings, in test mode."""

from __future__ import annotations

import os

os.environ["ATTUNE_MODE"] = "test"
for _name in ("DATABASE_URL", "DATABASE_OWNER_URL", "BROKER_URL"):
    os.environ.pop(_name, None)
os.environ.pop("ATTUNE_ROOT_KEY_FILE", None)
# A fixed key, so that the processes that a test starts read what the test sealed.
os.environ["ATTUNE_ROOT_KEY"] = "sample:" + "QXR0dW5lJ3Mgcm9vdCBrZXkgZm9yIHRlc3RzIG9ubHk="

from marketing.settings import *  # noqa: E402, F403
