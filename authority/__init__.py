"""X.509: the embedded authority, certificates of other authorities, revocation lists, paths."""
