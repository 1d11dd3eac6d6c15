"""Numbers that somebody else published -> outcomes for our tables, and findings about them.

Printed numbers are kept as digits, because the number of decimals is evidence. Files are only read.
"""
