"""Calls to other systems: endpoints, signatures, where a call may go, and what answers mean."""
