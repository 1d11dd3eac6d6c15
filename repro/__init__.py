"""Run published machine-learning claims again, and say what came out."""

__version__ = "0.1.0"
