"""Simulated studies: how often the program's intervals cover and its tests find what is there.

`make simulations` runs them all. A new simulation is a module here with a `Simulation` in it, a
line in `registry`, and nothing else: its table in docs/statistics.md and its test follow.
"""
