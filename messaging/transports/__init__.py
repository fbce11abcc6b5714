"""How mail leaves: `smtp` to a relay, `memory` for tests. Only `messaging.dispatch` sends."""
