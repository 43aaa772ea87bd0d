"""Private keys behind one narrow interface."""
