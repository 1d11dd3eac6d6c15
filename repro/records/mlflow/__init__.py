"""The mirror of the records in MLflow: for browsing, never a source of numbers."""
