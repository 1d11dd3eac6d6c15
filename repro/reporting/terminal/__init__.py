"""Output of a study while it runs: to a terminal and to a log file."""
