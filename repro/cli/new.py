"""``repro new``: a study file to start from."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.errors import ReproError
from repro.system.printing import say

if TYPE_CHECKING:
    pass

TEMPLATE = "new_study.yaml"


@click.command()
@click.argument("name")
def new(name: str) -> None:
    """Write a commented study file NAME.yaml to start from, into studies/ if there is one."""
    from repro.study import study_files, yaml_source
    from repro.study.schema import NAME
    from repro.system import atomic_files

    if not re.fullmatch(NAME, name):
        raise ReproError(
            f"{yaml_source.shown(name)}: write a name of lower-case letters, digits and _, that "
            "begins with a letter and has at most 60 characters"
        )
    _refuse_if_taken(name)
    template = Path(study_files.__file__).with_name(TEMPLATE).read_text(encoding="utf-8")
    path = Path("studies" if Path("studies").is_dir() else "") / f"{name}.yaml"
    advice = "make the folder writable, or use another"
    atomic_files.put(path, template.replace("{name}", name).encode(), advice=advice)
    say(f"{path}\nRun it: repro run {name}")


def _refuse_if_taken(name: str) -> None:
    from repro.study import study_files

    taken = study_files.find_name(name)
    if taken is None:
        return
    if taken.is_shipped:
        raise ReproError(f"{name} is a shipped study ({taken.path}): choose another name")
    raise ReproError(f"{taken.path} exists already: choose another name")
