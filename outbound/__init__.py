"""The one way out: every request to another host goes through this client (docs/threat-model.md, 22)."""
