"""``README.md`` of a bundle: what it is, and the two commands that read it."""

from repro import __version__
from repro.bundles.staging import TERMS, Staged
from repro.system.printing import as_markdown

README = "README.md"


def text(staged: Staged, *, networks: bool) -> str:
    """The file.

    Args:
        staged: All other files of the bundle.
        networks: Whether networks and weights are among them.
    """
    index, runs, plugins = staged.index, staged.found.values(), staged.study.plugins
    failed = sum(not one.finished for one in runs)
    planned = sum(len(arm.keys) for arm in index.arms)
    lines = [
        f"# {as_markdown(index.name)}: {as_markdown(index.question)}",
        "",
        f"A study and its results: {as_markdown(index.differs)}; {len(runs)} of {planned} runs "
        f"ended, {failed} of them failed. Written by repro {__version__} as a Workflow Run "
        "RO-Crate.",
        "",
        "Read it with this program (`pip install .` in its folder), without unpacking:",
        "",
        "```sh",
        "repro table FILE.zip --format markdown   # the tables, made again from the records",
        "repro verify FILE.zip                    # trains runs again, and compares every bit",
        "```",
        "",
        "| folder | what |",
        "|---|---|",
        f"| `{staged.study.main}` | the study file, with what it names beside it |",
        f"| `results/` | index, records and scores{', networks and weights' if networks else ''} |",
        "| `tables/` | as `repro table` printed them |",
        "| `report/` | the report, for a browser |",
        "| `environment/` | versions with which the runs were made, and those of the sender |",
        f"| `{TERMS}` | the data: digests, terms, where to ask; they are not in here |",
        "| `ro-crate-metadata.json` | every file with its SHA-256, every run, for programs |",
        "",
    ]
    if plugins:
        lines += [
            "Plug-ins of the study, which are code of its author: "
            + ", ".join(f"`{name}`" for name in plugins)
            + ". No command runs them unless you pass `--run-plugins`; read them first.",
            "",
        ]
    if not networks:
        lines += ["Networks and weights were left out; their digests stand in the records.", ""]
    return "\n".join(lines)
