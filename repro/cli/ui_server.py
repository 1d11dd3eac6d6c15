"""The server of `repro ui`, a program: ``python -P ui_server.py RESULTS PORT``.

MLflow's pages, and beside them those of the studies, under one guard.
"""

import functools
import sys
from pathlib import Path

if __name__ == "__main__":  # last, so that nothing of it is in place of another module
    sys.path.append(str(Path(__file__).resolve().parents[2]))

from repro.cli import page_making
from repro.reporting.site.application import Studies
from repro.reporting.site.maker import Maker


def main(results: Path, port: int) -> None:
    """Serve until SIGTERM.

    Args:
        results: The results folder, which has a mirror.
        port: Port to listen on.
    """
    from repro.records.mlflow import server_process  # which loads all of MLflow

    maker = Maker(functools.partial(page_making.prepare, results))
    server_process.main(results, port, Studies(results, maker))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
