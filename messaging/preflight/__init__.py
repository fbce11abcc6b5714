"""Is the sending domain fit to send? SPF, DKIM, DMARC, names of addresses, and the relay's TLS."""
