"""How Attune is started: the embedded services, the supervisor, the local mailbox."""
