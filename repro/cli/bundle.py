"""``repro bundle``: a study with its results as one file."""

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from repro.cli import completion_words, options
from repro.cli.shared import warn
from repro.errors import ReproError
from repro.system.printing import printable, say

if TYPE_CHECKING:
    from repro.bundles.staging import Staged
    from repro.reporting.tables.table_part import Format

TABLES: "dict[Format, str]" = {
    "markdown": "table.md",
    "csv": "table.csv",
    "latex": "table.tex",
    "json": "table.json",
}
ADVICE = "free some space, or name another file"


@click.command()
@click.argument("study", shell_complete=completion_words.studies)
@click.argument("out", metavar="OUT.zip", type=click.Path(dir_okay=False, path_type=Path))
@options.variant
@click.option("--weights", is_flag=True, help="With the networks and weights of the runs.")
def bundle(
    study: str,
    out: Path,
    profile: str | None,
    overrides: tuple[str, ...],
    results: Path,
    weights: bool,
) -> None:
    """Write STUDY, a name or a file, with its results into OUT.zip, a Workflow Run RO-Crate.

    It holds the study file, its plug-ins' text, the preregistration, records, tables, the report,
    the environment, and the terms of the data, not the data. The commands table,
    report, figures, status, show, audit and verify read it.
    """
    from repro.bundles import staging
    from repro.cli import resolve
    from repro.study import study_files

    if not study_files.is_bundle(out.name):
        raise ReproError(f"{out}: a bundle is a .zip file: give it a name that ends in .zip")
    if study_files.is_bundle(study):
        raise ReproError(f"{study}: this is a bundle already")
    index = resolve.one(results, study, profile=profile, overrides=overrides)
    file = Path(study) if study_files.is_path(study) else None
    with TemporaryDirectory(prefix="repro-bundle-") as place:
        staged = staging.stage(index, results, Path(place), study=file)
        for remark in staged.remarks:
            warn(remark)
        _written(staged, out, weights)
    size = out.stat().st_size
    say(f"{out}: {size:,} bytes, {len(staged.found)} runs, SHA-256 {_sha256(out)}")


def _written(staged: "Staged", out: Path, weights: bool) -> None:
    """Make what is shown of the staged files, describe all, and write the bundle."""
    from repro.bundles import archive, crate, readme
    from repro.system import atomic_files

    _add_shown(staged)
    if not weights:
        staged.leave_networks_out()
    staged.put(readme.README, readme.text(staged, networks=weights).encode())
    staged.put(crate.METADATA, crate.document(staged))
    files = staged.files()
    first = [crate.METADATA, readme.README]
    atomic_files.put_written(out, lambda path: archive.write(path, files, first), advice=ADVICE)


def _add_shown(staged: "Staged") -> None:
    """Tables and report, with the metrics of plug-ins by their values, as readers get them."""
    from repro.bundles import metric_values
    from repro.cli import exhibits, table
    from repro.plugins import loaded
    from repro.reporting.report import report_files
    from repro.reporting.tables.presentation import Presentation

    index = staged.index
    stored = metric_values.of_outcomes(
        exhibits.without_pictures(index, staged.results).outcomes, index
    )
    if stored:
        staged.put(metric_values.FILE, metric_values.to_json(stored))
        loaded.remember(index.name, metric_values.read(staged.folder / metric_values.FILE))
    for form, name in TABLES.items():
        try:
            shown = table.text([index], staged.results, Presentation(form=form))
        except ReproError as error:
            warn(f"no tables/{name}: {error}")
            continue
        staged.put(f"tables/{name}", f"{printable(shown)}\n".encode())
    view = exhibits.of_study(index, staged.results, with_images=False, warn=warn)
    chapter = exhibits.chapter(view, study_file=staged.study.main)
    with TemporaryDirectory(prefix="repro-bundle-") as place:
        page, *_ = report_files.build([chapter], Path(place))
        staged.put(f"report/{page.name}", page.read_bytes())


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
