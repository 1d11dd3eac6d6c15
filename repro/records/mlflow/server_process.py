"""The server of the MLflow pages: ``python -P server_process.py RESULTS PORT``.

MLflow's own ``mlflow server`` imports modules of the folder in which it is started, and takes
options from the environment. This program has neither, is one process, and answers only what
`request_rules` allow. Artifacts are served from the mirror alone, whatever its database says:
results may come from somebody else.
"""

import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # last, so that nothing of it is in place of another module
    sys.path.append(str(Path(__file__).resolve().parents[3]))

import uvicorn
from mlflow.exceptions import MlflowException
from mlflow.server import handlers
from mlflow.server.fastapi_app import app
from mlflow.store.artifact.artifact_repository_registry import _artifact_repository_registry
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from repro.records.mlflow.request_rules import HOST, App, Beside, OwnPagesOnly
from repro.records.mlflow.sqlite_store import artifacts, store_uri

LAST_ANSWER = 1  # seconds for an answer under way when the server is told to end


def main(results: Path, port: int, studies: App | None = None) -> None:
    """Serve until SIGTERM.

    Args:
        results: The results folder, which has a mirror.
        port: Port to listen on.
        studies: Answers the pages of studies; None: there are none.
    """
    root = artifacts(results)
    handlers.initialize_backend_stores(store_uri(results), None, root.as_uri())
    _serve_artifacts_of(root)
    uvicorn.run(
        OwnPagesOnly(app if studies is None else Beside(app, studies), port),
        host=HOST,
        port=port,
        log_level="warning",
        access_log=False,
        http="h11",  # passes the whole target of a request on, which others shorten
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=LAST_ANSWER,
    )


def _serve_artifacts_of(root: Path) -> None:
    """Let MLflow open no address of artifacts but files below this folder."""

    class Inside(LocalArtifactRepository):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            if not Path(self.artifact_dir).resolve().is_relative_to(root.resolve()):
                raise MlflowException.invalid_parameter_value(
                    f"{self.artifact_dir} is not in {root}: it is not shown"
                )

    registry: Any = _artifact_repository_registry  # which has no types
    registry.get_registered_artifact_repositories().clear()
    registry.register("", Inside)
    registry.register("file", Inside)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
