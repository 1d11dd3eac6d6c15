"""``python -m repro.cli``, where the command is not on the path."""

from repro.cli import main

main()
