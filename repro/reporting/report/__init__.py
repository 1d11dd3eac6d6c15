"""Reports from records: an HTML page and a LaTeX document, readable without this program."""
