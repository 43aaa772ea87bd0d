"""The one transaction: decide, sign, record; recovery; the wiring of an installation."""
