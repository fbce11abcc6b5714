"""Consents from other systems, as FHIR resources: what they meant, and what was not understood."""
