"""Text messages: what one may say and how long it is, and what people write back."""
