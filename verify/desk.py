"""What a worker process does to judge a foreign PDF: JSON in and JSON out."""

FUNCTIONS = ("verify.desk:judge_document",)
"""What a sandbox pool for verification may call."""
