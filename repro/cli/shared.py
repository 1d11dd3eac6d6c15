"""What several commands do alike: find commands, load a study, say a warning."""

import shlex
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from repro.reporting.figures.study_view import StudyView
    from repro.study.study import Study


class Group(click.Group):
    """Commands, of which one that is misspelt is answered with the one that was meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; older releases of click have no near words for commands."""
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
    """The study of a name or a path, with a command's options laid over it.

    Of a name, the file that is used is said on standard error, unless it is to be quiet.
    """
    from repro.study import study, study_files

    found = study_files.find(wanted)
    if not quiet and not study_files.is_path(wanted):
        instead = f" (in place of the shipped {found.hides})" if found.hides else ""
        click.echo(printable(f"Study: {found.path}{instead}"), err=True)
    return study.load(found.path, profile=profile, overrides=overrides)


def again(context: click.Context, **changed: str) -> str:
    """The command as the user gave it, for a shell, with some options changed or added.

    Args:
        context: Of the command.
        changed: Values of options by the names of the command's parameters.
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
    """Say a warning on standard error."""
    click.echo(f"Warning: {printable(line)}", err=True)


def printable(text: str) -> str:
    """Lines of text that leave a terminal as it is, whatever a name in them holds."""
    from repro.study import yaml_source

    return "\n".join(map(yaml_source.printable, text.splitlines()))


def say_what_is_left_out(view: "StudyView", with_images: bool) -> None:
    """Tell on stderr that there are pictures of real faces that are not shown."""
    if not view.specimens and not with_images:
        click.echo("Pictures of real faces are left out; --with-images shows them.", err=True)
