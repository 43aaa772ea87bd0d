"""Judges a sealed document, offline: no private keys, no SQL, no HTTP server."""
