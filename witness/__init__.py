"""A witness: a process of its own, without a database, that cosigns the checkpoints of logs it follows."""
