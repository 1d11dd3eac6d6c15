"""Replicates -> estimates, intervals, tests and verdicts. Pure functions on arrays.

Inputs and outputs are fractions; only `forensics` works in percent, for published values. The
package imports only `argument_checks` from the rest of `repro`, reads and writes no files, and
simulates with a fixed seed, so the same input gives the same bytes.
Symbols: R replicates of one arm, K groups, N portraits, M photographs without a face.
"""
