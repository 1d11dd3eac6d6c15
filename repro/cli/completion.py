"""``repro completion``: the script with which a shell completes commands, studies and arms."""

import click
from click.shell_completion import get_completion_class

from repro.system.printing import say

SHELLS = ["bash", "zsh", "fish"]
# Click's own script for bash lacks this: blanks in a word are quoted, and no blank is added after
# an incomplete word.
BASH_ADDS = "COMPREPLY+=($value)\n"
BASH_GOES_ON = """[[ $value == *[/=] ]] && compopt -o nospace
            printf -v value %q "$value"
            COMPREPLY+=("$value")
"""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that completes commands, studies, arms and runs in SHELL.

    bash: eval "$(repro completion bash)" in ~/.bashrc; zsh: the same with zsh in ~/.zshrc;
    fish: repro completion fish > ~/.config/fish/completions/repro.fish
    """
    root = click.get_current_context().find_root().command
    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(root, {}, "repro", "_REPRO_COMPLETE").source()
    say(script.replace(BASH_ADDS, BASH_GOES_ON))
