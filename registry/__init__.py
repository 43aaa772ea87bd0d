"""Organs, persons, items, agreements and seals as stored; the catalogue; signed statements."""
