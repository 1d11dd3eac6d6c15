"""A study with its results as one file that travels, and such a file read safely."""
