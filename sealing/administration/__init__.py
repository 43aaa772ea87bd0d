"""What administrators do: one small module a theme; routes and commands call the same functions."""
