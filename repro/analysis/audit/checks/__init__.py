"""One module a check: published numbers in, findings out."""
