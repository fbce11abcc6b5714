"""How long what proves consent is kept, and how it goes (45 CFR 164.530(j))."""
