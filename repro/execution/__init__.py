"""Execution of studies: planning, scheduling, cost prediction and verification of runs."""
