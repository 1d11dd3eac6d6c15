"""The command that removes what no study needs any more."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from repro.cli import options
from repro.system.printing import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from repro.records.cleaning import Leftover

# Same as `cleaning.CATEGORIES`, which is too heavy to load for --help.
CATEGORIES = ["superseded", "aside", "unfinished", "temporary"]
LISTED = 10  # entries of each category, unless all are requested


@click.command()
@options.results
@click.option("--yes", "-y", is_flag=True, help="Remove it; without this, it is only listed.")
@click.option(
    "--only",
    "only",
    multiple=True,
    type=click.Choice(CATEGORIES),
    help="Only this category; repeatable.",
)
@click.option("--all", "every", is_flag=True, help=f"List everything, not {LISTED} a category.")
def clean(results: Path, yes: bool, only: tuple[Any, ...], every: bool) -> None:
    """List what no study needs any more in the results folder, and its bytes; remove it by --yes.

    superseded: records that no study names, as after a change of choices, data or code.
    aside: records that were damaged or tried again.
    unfinished: checkpoints of runs that have a record, or that no study names.
    temporary: what a killed process left half written.

    What a study names is never removed, nor is a run that such a run started from, and nothing is
    while a study runs.
    """
    from repro.records import cleaning

    categories = only or cleaning.CATEGORIES
    act = cleaning.remove if yes else cleaning.find
    found = act(results, categories)
    for category in cleaning.CATEGORIES:
        of_category = [one for one in found if one.category == category]
        if of_category:
            say(f"{category}: {cleaning.WHAT[category]}")
            _list(of_category, results, every=every)
    say(_summary(found, removed=yes))
    if not yes and found and (holder := cleaning.running(results)):
        say(f"{holder} is running a study here: nothing can be removed now", err=True)


def _list(found: "Sequence[Leftover]", results: Path, *, every: bool) -> None:
    shown = found if every else found[:LISTED]
    for one in shown:
        say(f"  {one.path.relative_to(results)}  {one.size:,} bytes")
    if rest := found[len(shown) :]:
        size = sum(one.size for one in rest)
        say(f"  and {len(rest):,} more, {size:,} bytes (--all lists them)")


def _summary(found: "Sequence[Leftover]", *, removed: bool) -> str:
    if not found:
        return "Nothing to remove."
    size, linked = sum(one.size for one in found), sum(one.linked for one in found)
    done = "Removed" if removed else "Would remove"
    text = f"{done} {len(found):,} of these, {size:,} bytes."
    if linked:
        text += (
            f" {linked:,} of these bytes are in MLflow's pages as well, which do not change: "
            "`repro sync` puts the pages of removed runs into MLflow's trash."
        )
    return text if removed else f"{text} Nothing is removed yet; --yes removes it."
