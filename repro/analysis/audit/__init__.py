"""Published results of others -> outcomes for our tables, and findings about them.

Published values are stored with their decimals, which are evidence. Files are only read.
"""
