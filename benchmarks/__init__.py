"""Figures, measured side by side with a peer in one run. ``make bench`` prints them all."""
