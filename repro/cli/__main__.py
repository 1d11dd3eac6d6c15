"""Entry point of ``python -m repro.cli``, for when the command is not on the path."""

from repro.cli import main

main()
