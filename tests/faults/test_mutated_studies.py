"""Shipped studies with random damage are read or refused, never anything else."""

import random
import shutil
import time
from pathlib import Path

import pytest

from repro.errors import StudyError
from repro.study import study

STUDIES = sorted((Path(__file__).parents[2] / "studies").glob("*.yaml"))
SECONDS = 2.0  # of the processor
NASTY = [
    *(b".nan", b"-.inf", b"-1", b"0", b"-0.0", b"1e-3", b"1.0e-999", b"012", b"0x10", b"1_0"),
    *(b"9999999999999999999", b"9" * 5000, b"1.0e308", b"0.30000000000000004", b"2001-01-01"),
    *(b"[]", b"{}", b"[[]]", b"[{}]", b"{a: {b: {}}}", b"null", b"~", b"no", b"true", b"''"),
    *(b"*a", b"&a [*a]", b"&a 1", b"!!python/object/apply:os.system [id]", b"!!int x", b"!x 1"),
    *(b"<<: {epochs: 2}", b"? ", b"- ", b": ", b"|", b">", b"%", b"@", b"`", b"#", b'"', b"'"),
    *(b"[" * 200, b"{a: " * 200, b"- " * 200, b"a" * 5000, b"a." * 3000, b"---", b"...", b"\t"),
    *(b"\0", b"\x1b[31m", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r", b"\xe2\x80\xae"),
    *(b'"\\0"', b'"\\e[31m"', b'"\\ud800"', b"synthetic", b"../../etc/passwd", b"/dev/zero"),
    *(b"${HOME}", b"${NO_SUCH}", b"resampling.alpha", b"sweep", b"name", b"preset", b"data"),
]


def flip(text, chance):
    """Another byte in place of some."""
    changed = bytearray(text)
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def remove(text, chance):
    """A piece is missing."""
    start = chance.randrange(len(text))
    return text[:start] + text[start + chance.randint(1, 40) :]


def insert(text, chance):
    """A nasty piece where nothing was."""
    start = chance.randrange(len(text))
    return text[:start] + chance.choice(NASTY) + text[start:]


def truncate(text, chance):
    """Only the beginning."""
    return text[: chance.randrange(len(text))]


def repeat_line(text, chance):
    """A line stands elsewhere, too."""
    lines = text.splitlines(keepends=True)
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    return b"".join(lines)


def swap_lines(text, chance):
    """Two lines in each other's place."""
    lines = text.splitlines(keepends=True)
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def indent(text, chance):
    """A line with more blanks before it, or fewer."""
    lines = text.splitlines(keepends=True)
    at = chance.randrange(len(lines))
    blanks = b" " * chance.randint(0, 5) if chance.random() < 0.8 else b"\t"
    lines[at] = blanks + lines[at].lstrip(b" ")
    return b"".join(lines)


def replace_token(text, chance):
    """A nasty value in place of a word."""
    words = text.split(b" ")
    at = chance.randrange(len(words))
    ending = words[at][len(words[at].rstrip(b",]}\n")) :]
    words[at] = chance.choice(NASTY) + ending
    return b" ".join(words)


def replace_value(text, chance):
    """A nasty value in place of all that a line says of its key."""
    lines = text.splitlines(keepends=True)
    at = chance.choice([i for i, line in enumerate(lines) if b": " in line] or [0])
    lines[at] = lines[at].partition(b": ")[0] + b": " + chance.choice(NASTY) + b"\n"
    return b"".join(lines)


def swap_tokens(text, chance):
    """Two words in each other's place."""
    words = text.split(b" ")
    one, other = chance.randrange(len(words)), chance.randrange(len(words))
    words[one], words[other] = words[other], words[one]
    return b" ".join(words)


MUTATIONS = [
    *(flip, remove, insert, truncate, repeat_line, swap_lines),
    *(indent, replace_token, replace_value, swap_tokens),
]


def mutated(text, chance):
    """The text with one to three mutations; never empty before the last."""
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        text = chance.choice(MUTATIONS)(text, chance) or b" "
    return text


def outcome(path):
    """Whether the file is a study, all of which can be used; or what is said of it."""
    try:
        loaded = study.load(path)
    except StudyError as error:
        return str(error)
    assert all(arm.configuration.identity() for arm in loaded.arms)
    assert next(loaded.runs()).arm.name.strip()
    return None


@pytest.mark.parametrize("original", STUDIES, ids=lambda path: path.stem)
def test_a_damaged_study_is_read_or_refused(original, tmp_path, monkeypatch, amount, tally):
    """Hundreds of them, thousands of the whole list: no other error, none slow, nothing created."""
    monkeypatch.delenv("NO_SUCH", raising=False)
    shutil.copytree(original.parent / "published", tmp_path / "published")
    path, text = tmp_path / "study.yaml", original.read_bytes()
    chance = random.Random(original.stem)
    said, slowest = [], 0.0
    for _ in range(amount(25, 500)):
        path.write_bytes(mutated(text, chance))
        begun = time.process_time()
        said.append(outcome(path))
        slowest = max(slowest, time.process_time() - begun)
        tally.bad_inputs += 1
    refused = [text for text in said if text is not None]

    assert all(text.startswith(str(tmp_path)) and len(text) < 20_000 for text in refused)
    assert all(text.replace("\n", "").isprintable() for text in refused)
    assert len(said) / 4 < len(refused) < len(said)
    assert slowest < SECONDS
    assert sorted(p.name for p in tmp_path.iterdir()) == ["published", "study.yaml"]
