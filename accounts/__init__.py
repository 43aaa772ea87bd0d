"""Accounts of persons: ways to sign in, sessions, and what was tried. Knows nothing of HTTP."""
