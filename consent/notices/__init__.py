"""The Notice of Privacy Practices: its versions, and who got which (45 CFR 164.520)."""
