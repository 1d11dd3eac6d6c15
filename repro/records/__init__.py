"""Files on disk: records of runs, indexes of studies, checkpoints and locks. Never loads torch."""
