"""How a message is protected on its way: what receivers can do, people's keys, and the policy."""
