"""Criteria: pure functions from recorded evidence to a verdict."""
