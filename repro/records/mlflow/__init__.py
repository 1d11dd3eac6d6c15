"""The MLflow mirror of the records: for browsing, never a source of numbers."""
