"""One module a theme; each command is a few lines around the function that the HTTP routes call too."""
