"""The organisation's own pictures: mails show these and nothing from elsewhere."""
