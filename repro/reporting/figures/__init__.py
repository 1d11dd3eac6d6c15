"""Outcomes, records and pictures -> figures with captions that say what is shown. Never torch."""
