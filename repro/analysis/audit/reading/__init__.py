"""Files as people publish them -> tables in one form."""
