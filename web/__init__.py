"""Pages for people, rendered on the server; every one works without JavaScript."""
