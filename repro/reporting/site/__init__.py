"""Pages of the studies in a results folder, for `repro ui`: a list, and a report of each."""
