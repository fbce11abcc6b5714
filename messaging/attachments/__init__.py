"""Files that belong to a message: sealed for the person, named by their hash, checked on arrival.

    attachments.attach(message_id, [Given("benefits.pdf", raw)], classes={"coverage"}, now=now)

in the transaction that enqueued the message. The classes join the message's own, so the gate and
the protection know of them. On the portal and in encrypted mail the person finds the files beside
the text; in mail they bear names that say nothing.
"""

from messaging.attachments.keeping import (
    FileRefused,
    Given,
    Opened,
    attach,
    check,
    named,
    of_message,
    one,
    opened,
)

__all__ = [
    "FileRefused",
    "Given",
    "Opened",
    "attach",
    "check",
    "named",
    "of_message",
    "one",
    "opened",
]
