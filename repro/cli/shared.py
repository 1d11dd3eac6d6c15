"""What several commands share: finding commands, loading studies, printing warnings."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.system.printing import printable, say

if TYPE_CHECKING:
    from repro.bundles.opening import Bundle
    from repro.reporting.figures.study_view import StudyView
    from repro.study.study import Study


class Group(click.Group):
    """A group of commands that suggests the nearest name for a misspelt command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As in click; older releases of click suggest no names for commands."""
        name = args[0]
        is_option = name.startswith("-")
        if not (ctx.resilient_parsing or is_option or self.get_command(ctx, name)):
            from repro.study import merge

            hint = merge.did_you_mean(name, self.list_commands(ctx))
            ctx.fail(f"No such command {printable(name)!r}{hint}")
        return super().resolve_command(ctx, args)


def load(
    wanted: str, profile: str | None, overrides: tuple[str, ...], *, quiet: bool = False
) -> "Study":
    """The study with this name or path, with a command's options applied.

    For a name, the file used is printed on standard error, unless quiet.
    """
    from repro.study import study, study_files

    found = study_files.find(wanted)
    if not quiet and not study_files.is_path(wanted):
        instead = f" (in place of the shipped {found.hides})" if found.hides else ""
        say(f"Study: {found.path}{instead}", err=True)
    return study.load(found.path, profile=profile, overrides=overrides)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command finds the results of a study.

    Attributes:
        study: As the user named it; of a bundle its address, ``NAME@ID``.
        results: The folder of results.
        bundle: The bundle that they came in; None for those of this machine.
    """

    study: str
    results: Path
    bundle: "Bundle | None" = None


def place(study: str, results: Path, *, run_plugins: bool = False) -> Place:
    """Where the results of a study are; a bundle is opened until the command ends.

    Args:
        study: A name, ``NAME@ID``, a study file, or a bundle.
        results: The results folder, for all but a bundle.
        run_plugins: Whether code in a bundle may be run.

    Raises:
        BadBundle: It is no bundle, damaged, hostile or changed.
    """
    from repro.study import study_files

    if not study_files.is_bundle(study):
        return Place(study, results)
    from repro.bundles import opening

    found = click.get_current_context().with_resource(
        opening.opened(Path(study), run_plugins=run_plugins)
    )
    return Place(found.address, found.results, found)


def again(context: click.Context, **changed: str) -> str:
    """The command as the user typed it, quoted for a shell, with options changed or added.

    Args:
        context: Of the command.
        changed: New values of options, by the names of the command's parameters.
    """
    words = [f"repro {context.info_name}"]
    for parameter in context.command.params:
        name = str(parameter.name)
        source = context.get_parameter_source(name)
        if name in changed or source is not click.core.ParameterSource.COMMANDLINE:
            continue
        value = context.params[name]
        values = value if isinstance(value, tuple) else (value,)
        if isinstance(parameter, click.Option):
            option = max(parameter.opts, key=len)
            words += [word for one in values for word in _given(parameter, option, one)]
        else:
            words[1:1] = [shlex.quote(str(one)) for one in values]
    for parameter in context.command.params:
        if parameter.name in changed:
            words += [max(parameter.opts, key=len), shlex.quote(changed[parameter.name])]
    return " ".join(words)


def _given(parameter: click.Option, option: str, value: object) -> list[str]:
    return [option] if parameter.is_flag else [option, shlex.quote(str(value))]


def warn(line: str) -> None:
    """Print a warning on standard error."""
    say(f"Warning: {line}", err=True)


def say_what_is_left_out(view: "StudyView", with_images: bool) -> None:
    """Print on standard error that pictures of real faces exist but are not shown."""
    if not view.specimens and not with_images:
        say("Pictures of real faces are left out; --with-images shows them.", err=True)


def not_followed(study: str) -> None:
    """Say on standard error that MLFLOW_TRACKING_URI was not followed, and how to send a study.

    The address itself is not printed: it may hold a password.
    """
    say(
        "MLFLOW_TRACKING_URI is set and was not followed. To send the study there: "
        f'repro sync {study} --to "$MLFLOW_TRACKING_URI"',
        err=True,
    )
