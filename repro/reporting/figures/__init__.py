"""Figures from outcomes, records and pictures, with captions. Never loads torch."""
