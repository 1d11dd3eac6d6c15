"""Replicates -> estimates, intervals, tests and verdicts. Pure functions on arrays.

Fractions in, fractions out: percent belongs to tables; `forensics` alone works in percent for
printed numbers. Nothing of ours is imported from outside this package but `repro.checks`, nothing
is read or written, and what is simulated is simulated from a fixed seed, so that the same input
gives the same bytes.
Symbols: R replicates of one arm, K groups, N portraits, M photographs without a face.
"""
