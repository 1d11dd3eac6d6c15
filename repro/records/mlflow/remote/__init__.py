"""Sends a study to an MLflow tracking server that is there already, through MLflow's client."""
