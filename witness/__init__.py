"""A witness of the log: a process of its own that checks consistency and cosigns checkpoints (C2SP tlog-witness)."""
