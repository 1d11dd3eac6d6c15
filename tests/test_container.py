"""The Dockerfile: what it starts from, what it copies, whose rights it runs with."""

import re
import subprocess

import checkers
import dockerfile
from places import ROOT


def given(word):
    """Texts of the instructions of this word."""
    return [text for name, text in dockerfile.instructions() if name == word]


@checkers.needs("hadolint")
def test_the_linter_has_nothing_to_say():
    """Hadolint, with the exception that the file itself explains."""
    command = [checkers.FOLDER / "hadolint", dockerfile.PATH]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_it_starts_from_one_release():
    """Of Python, in three numbers, which the project supports."""
    (image,) = given("FROM")

    assert re.fullmatch(r"python:3\.1[123]\.\d+-slim-[a-z]+", image)


def test_it_copies_what_a_build_sees_and_the_installation_needs():
    """No source that `.dockerignore` hides; nothing else is sent to the builder."""
    seen = dockerfile.context()
    sources = [word for text in given("COPY") for word in dockerfile.words(text)[:-1]]

    for source in sources:
        assert any(name == source or name.startswith(f"{source}/") for name in seen), source
    for name in seen:
        assert any(name == one or name.startswith(f"{one}/") for one in sources), name


def test_it_installs_the_locked_versions():
    """Those behind the published figures."""
    (installs,) = [text for text in given("RUN") if "pip install" in text]

    assert "-c constraints.txt ." in installs


def test_it_runs_as_a_user_and_shows_the_help():
    """No root, the program as entry point, its help as the default."""
    assert given("USER") == ["1000"]
    assert [dockerfile.words(text) for text in given("ENTRYPOINT")] == [["repro"]]
    assert [dockerfile.words(text) for text in given("CMD")] == [["--help"]]


def test_no_step_writes_where_a_build_would_not():
    """The context ends at the repository."""
    assert all(not source.startswith(("/", "..")) for source in given("COPY"))
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"
