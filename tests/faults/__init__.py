"""Interruptions, faults, bad input, two users at once: nothing is lost and no number is wrong."""
