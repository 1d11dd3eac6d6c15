"""What is on disk: records of runs, indexes of studies, checkpoints and locks. Never torch."""
