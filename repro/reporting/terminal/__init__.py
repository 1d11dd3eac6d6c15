"""What a study shows while it runs, in a terminal and in a log file."""
