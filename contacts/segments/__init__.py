"""Who is in: segments over sealed columns, with one written meaning (docs/segments.md)."""
