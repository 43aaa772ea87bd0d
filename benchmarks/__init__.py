"""Figures, measured side by side with a peer in one run. ``make bench`` prints them all."""

import sys
from pathlib import Path

# The installation under load is the one that the tests build.
sys.path.insert(1, str(Path(__file__).resolve().parent.parent / "tests"))
