"""Checks of the arguments of public functions: arrays, and tensors."""
