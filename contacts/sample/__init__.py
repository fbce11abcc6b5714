"""Invented patients, for the sample clinic, the demo, the benchmarks and the tests."""

from contacts.sample.patients import SOURCE, people

__all__ = ["SOURCE", "people"]
