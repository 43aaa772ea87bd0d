"""Pages for people: anybody judges a sealed PDF or asks about a paper, without an account and without a script."""
