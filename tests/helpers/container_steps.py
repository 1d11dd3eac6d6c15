"""``make container-steps``: the steps of the Dockerfile without a container.

A temporary folder stands for the container's root, an environment of its own for its Python. What
installs packages of the system or makes users is not executed: whether the packages exist is asked.
Its default command and the table of a bundle are run at the end.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import bundled_study
import dockerfile
from places import ROOT

OF_THE_SYSTEM = ("apt-get", "useradd")  # programs that change more than a folder


def say(text):
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run(command, cwd, environment):
    """Execute a step; it must end well."""
    say(f"--- {command}")
    subprocess.run(["sh", "-euc", command], cwd=cwd, env=environment, check=True)


def look_up(command):
    """Ask the system whether the packages of a step exist; say what is left out."""
    named = re.search(r"apt-get install((?: \S+)+?) (?:&&|$)", f"{command} $")
    names = [one for one in (named[1].split() if named else ()) if not one.startswith("-")]
    for name in names if shutil.which("apt-cache") else ():
        found = subprocess.run(
            ["apt-cache", "policy", name], capture_output=True, text=True, check=True
        ).stdout
        candidate = re.search(r"Candidate: (\S+)", found)
        say(f"    {name}: {candidate[1] if candidate else 'not known here'}")
    say(f"--- left out: {command}")


def copied(words, folder, root):
    """Copy files of the build's context, as COPY does."""
    *sources, target = words
    place = folder / target if not target.startswith("/") else root / target[1:]
    for source in sources:
        names = [n for n in dockerfile.context() if n == source or n.startswith(f"{source}/")]
        assert names, f"COPY {source}: not in the context"
        for name in names:
            below = name.removeprefix(f"{source}/") if name != source else source
            into = place / below if name != source else place / Path(source).name
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, into, follow_symlinks=False)


def main():
    """Execute all steps."""
    with tempfile.TemporaryDirectory(prefix="container-") as place:
        root = Path(place) / "root"
        venv.create(Path(place) / "venv", with_pip=True)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        environment = {**kept, "PATH": f"{place}/venv/bin:{os.environ['PATH']}", "HOME": place}
        folder, ends = root, {}
        for word, text in dockerfile.instructions():
            if word == "WORKDIR":
                folder = root / text.lstrip("/")
                folder.mkdir(parents=True, exist_ok=True)
            elif word == "COPY":
                copied(dockerfile.words(text), folder, root)
            elif word in ("ARG", "ENV"):
                name, _, value = text.partition("=")
                environment[name] = os.environ.get(name, value) if word == "ARG" else value
            elif word == "RUN":
                step = look_up if text.startswith(OF_THE_SYSTEM) else None
                step(text) if step else run(text, folder, environment)
            elif word in ("ENTRYPOINT", "CMD"):
                ends[word] = dockerfile.words(text)
        run(" ".join([*ends["ENTRYPOINT"], *ends["CMD"]]), folder, environment)
        study = bundled_study.write(Path(place) / "home", Path(place) / "canary")
        bundled_study.repro(
            "bundle", study / "toy.yaml", folder / "study.zip", "--results", study / "results"
        )
        run(f"{ends['ENTRYPOINT'][0]} table study.zip --format markdown", folder, environment)
    say("All steps of the Dockerfile ended well.")


if __name__ == "__main__":
    main()
