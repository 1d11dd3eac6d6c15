"""The Dockerfile as a list of instructions, and the files that a build would see."""

import fnmatch
import json
import re

from places import ROOT, repository_files

PATH, IGNORED = ROOT / "Dockerfile", ROOT / ".dockerignore"


def instructions():
    """Word and text of each instruction; lines that go on are one."""
    lines = [line for line in PATH.read_text().splitlines() if not line.startswith("#")]
    whole = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in whole.splitlines() if line.strip()]


def words(text):
    """Words of an instruction, as JSON or separated by blanks."""
    return json.loads(text) if text.startswith("[") else text.split()


def context():
    """Files of the repository that a build sees: the last pattern of `.dockerignore` that fits."""
    lines = IGNORED.read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    return [name for name in repository_files() if not _ignored(name, patterns)]


def _ignored(name, patterns):
    ignored = False
    for pattern in patterns:
        wanted = pattern.removeprefix("!").removeprefix("**/")
        above = [name, *(name[:at] for at in range(len(name)) if name[at] == "/")]
        if any(fnmatch.fnmatchcase(one, wanted) for one in above):
            ignored = not pattern.startswith("!")
    return ignored
