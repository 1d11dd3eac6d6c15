"""Records -> a report that can be read without this program: one page of HTML, one of LaTeX."""
