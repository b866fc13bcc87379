"""Cadence, the built-in end-to-end speech model: it hears a user and answers in speech."""
