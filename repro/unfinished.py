"""Where the runs are that have no record yet, and how far each is. Never loads torch."""

from pathlib import Path


def folder_of(key: str, results: Path) -> Path:
    """Where an unfinished run is, or would be."""
    return results / "unfinished" / key


def newest_first(folder: Path) -> list[Path]:
    """The checkpoints of an unfinished run, by name alone."""
    return sorted(folder.glob("epoch-*.json"), reverse=True)


def epochs_kept(key: str, results: Path) -> int:
    """Epochs that a run need not do again, as the names say; 0 if there is no checkpoint."""
    names = [path.stem.removeprefix("epoch-") for path in newest_first(folder_of(key, results))]
    return next((int(name) for name in names if name.isdecimal()), 0)
