"""What comes back by mail: taken in, matched to what was sent, and acted on."""
