"""Where each value comes from, and what stood there before."""
