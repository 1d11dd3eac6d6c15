"""Malformed studies: what the file holds, and what is said of it after its name."""

import contextlib
import os
import socket

SOUND = """\
name: toy
question: Does it?
base:
  preset: dehaan2020
arms:
  - name: No debias
    resampling: {combine: none}
  - sweep: {resampling.alpha: [0.1, 0.01]}
reference: No debias
replicates: 3
select: {keep: 2, by: recall, split: test}
profiles:
  embedded: {data: synthetic, epochs: 2}
"""
ARMS = SOUND[SOUND.index("arms:") : SOUND.index("reference:")]
GRID = "{resampling.alpha: [0.1, 0.01]}"
PROFILES = SOUND[SOUND.index("profiles:") :]
ALPHA = ":8:32: resampling.alpha: "
EPOCHS = ":13:39: epochs: "
NUMBER = f"{ALPHA}input should be a valid number"
FINITE = f"{ALPHA}input should be a finite number"
WHOLE = f"{EPOCHS}input should be a valid integer"
TAG = "tags are not read here, such as"
EXPANDS = "this expands too far by its aliases"
LIMIT = "more than 20,000 values or 50 levels"
FOLDER, PIPE, SOCKET, DEVICE = (
    f": this is {what}: give a file" for what in ("a folder", "a pipe", "a socket", "a device")
)
NO_STUDY = "a study is a mapping of keys"
MAPPING = "a mapping of keys is expected"
HIDDEN = "which is invisible: remove it"
NO_TEXT = "is not a text character"


def but(old, new, text=SOUND):
    """The sound study with one thing replaced."""
    assert old in text
    return text.replace(old, new, 1)


def alphas(values):
    """Other values of the sweep."""
    return but("0.1, 0.01", values)


def epochs(value):
    """Another number of epochs."""
    return but("epochs: 2", f"epochs: {value}")


def asked(value):
    """Another question."""
    return but("Does it?", value)


def named(value):
    """Another name of the first arm."""
    return but("name: No debias", f"name: {value}")


def trained(value):
    """Other training images."""
    return but("data: synthetic", f"data: {{train: {value}, test: synthetic, nonfaces: synthetic}}")


def arms(count, line):
    """This many further arms, each line with its number."""
    return but("reference", "".join(line % {"i": i} for i in range(count)) + "reference")


def profiles(count, text=SOUND):
    """This many further profiles."""
    return text + "".join(f"  p{i}: {{data: synthetic}}\n" for i in range(count))


def chain(length, first, line):
    """A value, and values that each take the one above twice."""
    return "\n".join([f"a0: &a0 {first}", *(line % {"i": i, "j": i - 1} for i in range(1, length))])


def listening(path):
    """A socket in place of the file."""
    with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as bound:
        bound.bind(path.name)  # its whole path may be longer than a socket may have


def printed(text):
    """A study that answers to numbers which are not sound."""
    answers = "published: {source: paper, margin: {recall: 1, variance: 1}}\nprofiles:"

    def write(path):
        path.write_text(but("profiles:", answers))
        folder = path.parent / "published"
        folder.mkdir()
        text(folder / "paper.yaml") if callable(text) else (folder / "paper.yaml").write_text(text)

    return write


def to(target):
    """A link in place of the file."""
    return lambda path: path.symlink_to(target)


NUMBERS = {
    "exponent": (alphas("1e-3"), f"{ALPHA}'1e-3' is text, not a number. YAML needs a dot before"),
    "infinite": (alphas(".inf"), FINITE),
    "not a number": (alphas(".nan"), FINITE),
    "beyond floats": (alphas("1.0e400"), FINITE),
    "below floats": (alphas("1.0e-400"), ":8:32: 1.0e-400 is too close to 0"),
    "negative": (alphas("-1"), f"{ALPHA}input should be greater than or equal to 0, not -1"),
    "no zero": (alphas(".5"), f"{ALPHA}'.5' is text, not a number: write 0.5"),
    "comma": (alphas("'1,5'"), f"{NUMBER}, not '1,5'"),
    "word": (alphas("abc"), f"{NUMBER}, not 'abc'"),
    "true": (alphas("true"), f"{NUMBER}, not True"),
    "nothing": (alphas("null"), f"{NUMBER}, not None"),
    "list in a list": (alphas("[0.1]"), f"{NUMBER}, not [0.1]"),
    "40,000 decimals": (alphas(f"1.{'0' * 40_000}1"), ":8:32: a number of 40,003 characters"),
    "leading zero": (epochs("012"), f"{EPOCHS}'012' is text, not a number: remove the leading"),
    "quotes": (epochs("'2'"), f"{EPOCHS}'2' is text, not a number: remove the quotes"),
    "other digits": (epochs("'٣'"), f"{WHOLE}, not '٣'"),
    "hexadecimal": (epochs("0x10"), f"{WHOLE}, not '0x10'"),
    "underscore": (epochs("1_000"), f"{WHOLE}, not '1_000'"),
    "sexagesimal": (epochs("1:30"), f"{WHOLE}, not '1:30'"),
    "yes": (epochs("yes"), f"{WHOLE}, not 'yes'"),
    "date": (epochs("2020-01-01"), f"{WHOLE}, not '2020-01-01'"),
    "real": (epochs("2.0"), f"{WHOLE}, not 2.0"),
    "list": (epochs("[2]"), f"{WHOLE}, not [2]"),
    "mapping": (epochs("{a: 2}"), f"{WHOLE}, not {{'a': 2}}"),
    "20 digits": (epochs("9" * 20), f"{EPOCHS}input should be less than or equal to 1000000"),
    "4,000 digits": (epochs("1" * 4000), ":13:39: a number of 4,000 characters: write 100"),
    "9,000 digits": (epochs("1" * 9000), ":13:39: a number of 9,000 characters: write 100"),
    "99,000 digits and a letter": (alphas(f"{'9' * 99_000}x"), f"{NUMBER}, not '999"),
    "no runs": (but("replicates: 3", "replicates: 0"), ":10:13: replicates: input should be gr"),
    "absurd runs": (but("replicates: 3", "replicates: 1000000000"), ":10:13: replicates: input sh"),
    "no kept run": (but("keep: 2", "keep: 0"), ":11:16: select.keep: input should be greater"),
    "fewer runs than kept": (but("keep: 2", "keep: 4"), ":11:16: select.keep is 4, but replicates"),
}
GRIDS = {
    "no value": (alphas(""), ":8:31: empty grid: give 'resampling.alpha' a list"),
    "no list": (but("[0.1, 0.01]", "0.1"), ":8:31: empty grid: give 'resampling.alpha' a list"),
    "no key": (but(GRID, "{}"), ":8:12: a sweep maps keys to lists"),
    "list": (but(GRID, "[1]"), ":8:12: a sweep maps keys to lists"),
    "value twice": (alphas("0.1, 0.10"), ":6:3: two arms are called 'alpha = 0.1'"),
    "key that nests too deep": (but("resampling.alpha", "a." * 60), ":8:12: 'a.a.a.a"),
    "key of an empty part": (but("resampling.alpha", "resampling."), ":8:26: unknown key ''"),
    "key below a number": (but("resampling.alpha", "epochs.a"), ":8:24: epochs: input should be"),
    "1,000,000,000 arms": (
        but(GRID, f"{{{', '.join(f'{k}: {list(range(1000))}' for k in ('epochs', 'a', 'b'))}}}"),
        ":8:12: the grid has 1000000000 arms; at most 1000",
    ),
    "40 grids": (
        arms(40, f"  - {{name: a%(i)d, sweep: {{epochs: {[*range(1, 41)]}, bins: [1, 2, 3]}}}}\n"),
        ":6:3: more than 1000 arms with 1 profile",
    ),
    "arms in 10 profiles": (
        profiles(9, alphas(", ".join(f"0.{i:03}" for i in range(1, 900)))),
        ":6:3: more than 300 arms with 10 profiles",
    ),
    "900 profiles": (profiles(900), ":13:3: profiles: 901 given, at most 10 allowed"),
    "wide": (but(GRID, f"{{{', '.join(f'k{i}: [1]' for i in range(900))}}}"), ":8:12: 'k0 = 1"),
}
KEYS = {
    "twice": (
        but("select", "replicates: 4\nselect"),
        ":11:1: duplicate key 'replicates' (first on",
    ),
    "unknown": (but("  preset", "  epoch: 1\n  preset"), ":4:3: unknown key 'epoch'; did you mean"),
    "unknown at the top": (but("select", "selekt"), ":11:1: unknown key 'selekt'; did you mean 's"),
    "seeds": (
        but("replicates: 3", "replicates: 3\nseeds: [0, 0]"),
        ":11:8: seeds: a mapping of keys is expected, not [0, 0]",
    ),
    "missing": (but("question: Does it?\n", ""), ":1:1: question is missing: add it"),
    "number": (but("epochs: 2", "1: 2"), ":13:31: unknown key '1'; known here"),
    "nothing": (but("epochs: 2", "~: 2"), ":13:31: unknown key '~'; known here"),
    "empty": (but("epochs: 2", '"": 2'), ":13:31: unknown key ''; known here"),
    "list": (but("epochs: 2", "[a]: 2"), ":13:31: a key must be plain text"),
    "mapping": (but("epochs: 2", "{a: b}: 2"), ":13:31: a key must be plain text"),
    "merge": (but("  - sweep", "  - <<: {epochs: 2}\n    sweep"), ":8:5: merge keys are not read"),
    "long": (but("  preset", f"  ? {'e' * 50_000}\n  : 1\n  preset"), ":4:5: unknown key 'eeeeee"),
    "3,000 unknown in 1,000 arms": (
        but("  preset", "".join(f"  k{i}: 1\n" for i in range(3000)) + "  preset").replace(
            "0.1, 0.01", ", ".join(f"0.{i:03}" for i in range(1, 999))
        ),
        ":4:3: unknown key 'k0'; known here",
    ),
    "mistake in each of 900 arms": (
        arms(900, "  - {name: a%(i)d, epoch: 2}\n"),
        ":9:16: unknown key 'epoch'; did you mean 'epochs'?",
    ),
}
SHAPES = {
    "list": ("- a\n- b\n", f":1:1: {NO_STUDY}"),
    "word": ("hello", f":1:1: {NO_STUDY}"),
    "number": ("3", f":1:1: {NO_STUDY}"),
    "empty": ("", f": {NO_STUDY}"),
    "comment": ("  \n\n# nothing\n", f": {NO_STUDY}"),
    "nothing": ("---\n...\n", f":2:1: {NO_STUDY}"),
    "two documents": (f"{SOUND}---\n{SOUND}", ":14:1: not YAML: expected a single document"),
    "base": (but("base:\n  preset: dehaan2020", "base: [1]"), f":3:7: base: {MAPPING}, not [1]"),
    "no base": (but("base:\n  preset: dehaan2020", "base:"), f":3:6: base: {MAPPING}, not None"),
    "no preset": (but("base:\n  preset: dehaan2020", "base: {}"), ":3:7: base.preset is missing"),
    "preset": (but("preset: dehaan2020", "preset: dehan"), ":4:11: unknown preset 'dehan'"),
    "no arm": (but(ARMS, "arms: []\n"), ":5:7: arms: 0 given, at least 1 needed"),
    "arms": (but(ARMS, "arms: {a: 1}\n"), ":5:7: arms: a list is expected, not {'a': 1}"),
    "arm": (but(ARMS, "arms: [1]\n"), f":5:8: arms[0]: {MAPPING}, not 1"),
    "arm without a name": (but("name: No debias\n    ", ""), ":6:5: an arm needs a name"),
    "arm with a number": (named("3"), ":6:11: 3 is not a valid name"),
    "arm with an empty name": (named('""'), ":6:11: '' is not a valid name"),
    "arm with a blank name": (named('" "'), ":6:11: ' ' is not a valid name"),
    "arm with a name of two lines": (named('"a\\nb"'), ":6:11: 'a\\nb' is not a valid name"),
    "arm with a long name": (named("a" * 50_000), ":6:11: 'aaaaaaaa"),
    "reference": (but("reference: No", "reference: Mo"), ":9:12: unknown arm 'Mo debias'; did you"),
    "no reference": (but("reference: No debias", "reference:"), ":9:11: reference: input should"),
    "name": (but("name: toy", "name: Toy"), ":1:7: name: 'Toy' must match"),
    "name that is a path": (but("name: toy", "name: ../../etc"), ":1:7: name: '../../etc' must"),
    "name that is long": (but("toy", "t" * 50_000), ":1:7: name: 'ttttttttt"),
    "no question": (asked('""'), ":2:11: question: string should have at least 1 character"),
    "choice": (but("combine: none", "combine: no"), ":7:27: resampling.rule: 'no' is not one"),
    "select": (but("{keep: 2, by: recall, split: test}", "2"), f":11:9: select: {MAPPING}, not 2"),
    "profiles": (but(PROFILES, "profiles: [a]"), f":12:11: profiles: {MAPPING}, not ['a']"),
    "no profile": (but(PROFILES, "profiles: {}"), ":12:11: profiles: 0 given, at least 1 needed"),
    "empty profile": (but(" {data: synthetic, epochs: 2}", ""), ":13:12: profiles.embedded: a map"),
    "rates": (
        but("replicates", f"false_positive_rates: [{'1,' * 900}]\nreplicates"),
        ":10:24: false_positive_rates[0]: input should be less than 1, not 1",
    ),
    "data": (but("data: synthetic", "data: sintetic"), f":13:20: data: {MAPPING}, not 'sintetic'"),
    "source": (trained("{source: foo}"), ":13:37: data.train: 'foo' is not one of synthetic, mit"),
    "source as a list": (trained("{source: [1]}"), ":13:28: data.train: '[1]' is not one of synth"),
    "key of another source": (trained("{path: a}"), ":13:29: key 'path' belongs to another source"),
    "empty path": (trained('""'), ":13:28: data.train: the path has 0 characters"),
    "endless path": (trained("a/" * 9000), ":13:28: data.train: the path has 18,000 characters"),
    "unset variable": (trained('"${NO_SUCH}"'), ":13:28: data.train: the environment variable NO"),
    "print that is nowhere": (
        but("profiles:", "published: {source: ../x, margin: {recall: 1, variance: 1}}\nprofiles:"),
        ":12:21: unknown source '../x'",
    ),
    "print without a shape": (printed("- 1"), "published/paper.yaml:1:1: a mapping of keys"),
    "print with a key twice": (printed("a: 1\na: 2"), "paper.yaml:2:1: duplicate key 'a'"),
    "print without an end": (printed(to("/dev/zero")), f"published/paper.yaml{DEVICE}"),
}
SYNTAX = {
    "tab": (but("  preset", "\tpreset"), ":4:1: not YAML: found character '\\t' that cannot"),
    "indentation": (but("  preset", "   a: 1\n  preset"), ":5:3: not YAML: expected <block end>"),
    "bracket": (but("0.01]", "0.01"), ":8:41: not YAML: expected ',' or ']', but got '}'"),
    "quote": (
        asked('"Does it?'),
        ":14:1: not YAML: found unexpected end of stream, while scanning "
        "a quoted scalar begun on line 2",
    ),
    "escape": (asked('"\\q"'), ":2:13: not YAML: found unknown escape character 'q'"),
    "colon": (asked("Does it: no"), ":2:18: not YAML: mapping values are not allowed here"),
    "at": (asked("@x"), ":2:11: not YAML: found character '@' that cannot start"),
    "conflict": (but("select", "<<<<<<< HEAD\nselect"), ":12:1: not YAML: could not find"),
    "page": ("<html><body>404: not found</body></html>", ":1:1: arms is missing: add it"),
    "version": ("%YAML 3.0\n---\na: 1", ":1:1: not YAML: found incompatible YAML document"),
    "python call": (asked('!!python/object/apply:os.system ["touch canary"]'), f":2:11: {TAG}"),
    "python name": (asked("!!python/name:os.system"), f":2:11: {TAG}"),
    "python object": (but("{data", "!!python/object:os.system {data"), f":13:13: {TAG}"),
    "python key": (but("epochs: 2", "!!python/name:os.system epochs: 2"), f":13:31: {TAG}"),
    "own tag": (epochs("!foo 2"), f":13:39: {TAG} '!foo'"),
    "tag of a number": (epochs("!!int ''"), f":13:39: {TAG}"),
    "tag of a truth": (epochs("!!bool x"), f":13:39: {TAG}"),
    "tag of a day": (asked("!!timestamp 2001-99-99"), f":2:11: {TAG}"),
    "tag of bytes": (asked("!!binary aGVsbG8="), f":2:11: {TAG}"),
    "unknown alias": ("a: *b", ":1:4: not YAML: found undefined alias 'b'"),
    "anchor twice": ("[&a 1, &a 2]", ":1:8: not YAML: found duplicate anchor 'a'"),
}
TEXTS = {
    "Latin-1": (asked("größer?").encode("latin-1"), ":2:13: the file is not UTF-8 text (invalid"),
    "UTF-16": (SOUND.encode("utf-16"), ": the file is UTF-16 or UTF-32: save it as UTF-8"),
    "UTF-32": (SOUND.encode("utf-32"), ": the file is UTF-16 or UTF-32: save it as UTF-8"),
    "UTF-16 unmarked": (SOUND.encode("utf-16-le"), f":1:2: U+0000 {NO_TEXT}"),
    "half a pair": (b"name: \xed\xa0\x80", ":1:7: the file is not UTF-8 text (invalid"),
    "NUL": (asked("a\0b"), f":2:12: U+0000 {NO_TEXT}"),
    "escape": (asked("a\x1b[31mb"), f":2:12: U+001B {NO_TEXT}"),
    "control": (asked("a\x9b31m"), f":2:12: U+009B {NO_TEXT}"),
    "program": (b"\x7fELF\x02\x01", f":1:1: U+007F {NO_TEXT}"),
    "byte order mark inside": (but("select", "\ufeffselect"), ":11:1: a key must be plain text"),
    "marked": ("\ufeff" + epochs("x"), f"{WHOLE}, not 'x'"),
    "CRLF": (epochs("x").replace("\n", "\r\n").encode(), f"{WHOLE}, not 'x'"),
    "CR": (epochs("x").replace("\n", "\r").encode(), f"{WHOLE}, not 'x'"),
    "Latin-1 after CR": (b"a: 1\rb: \xfc", ":2:4: the file is not UTF-8 text"),
    "escaped name": (named('"\\e[31mNo debias"'), f":6:11: the text holds U+001B, {HIDDEN}"),
    "escaped key": (but("epochs: 2", '"\\e[31mepochs": 2'), ":13:31: a key must be plain text"),
    "escaped choice": (but("none", '"\\e[31mnone"'), f":7:27: the text holds U+001B, {HIDDEN}"),
    "escaped NUL": (but("name: toy", 'name: "\\0"'), f":1:7: the text holds U+0000, {HIDDEN}"),
    "path with NUL": (trained('"a\\0b"'), f":13:28: the text holds U+0000, {HIDDEN}"),
    "half a pair, escaped": (named('"\\ud800"'), f":6:11: the text holds U+D800, {HIDDEN}"),
    "backwards": (named('"\\u202eNo debias"'), f":6:11: the text holds U+202E, {HIDDEN}"),
    "two lines": (but("No debias\nrep", '"a\\nb"\nrep'), ":9:12: unknown arm 'a\\nb'"),
}
SIZES = {
    "laughs as lists": (
        chain(10, "[1, 1]", f"a%(i)d: &a%(i)d [{', '.join(['*a%(j)d'] * 10)}]"),
        f":1:5: {EXPANDS}",
    ),
    "laughs as mappings": (
        chain(48, "{x: 1, y: 2}", "a%(i)d: &a%(i)d {x: *a%(j)d, y: *a%(j)d}"),
        f":1:13: {EXPANDS}",
    ),
    "laughs as merges": (
        chain(48, "{x: 1, y: 2}", "a%(i)d: &a%(i)d {<<: [*a%(j)d, *a%(j)d]}"),
        ": the first 20 mistakes of more:",
    ),
    "laughs as text": (f"a: &a {'x' * 9000}\nb: [{', '.join(['*a'] * 999)}]", f":1:4: {EXPANDS}"),
    "alias of itself": ("a: &a [*a]", f":1:4: {EXPANDS}"),
    "alias of itself twice": ("&a {x: *a, y: *a}", f":1:1: {EXPANDS}"),
    "1,000 brackets": (f"a: {'[' * 1000}{']' * 1000}", f":1:53: {LIMIT}"),
    "190,000 brackets": ("[" * 190_000, f":1:51: {LIMIT}"),
    "30,000 braces": ("{a: " * 30_000, f":1:198: {LIMIT}"),
    "400 indentations": ("\n".join(" " * i + "a:" for i in range(400)), f":50:50: {LIMIT}"),
    "90,000 dashes": ("- " * 90_000 + "a", f":1:101: {LIMIT}"),
    "90,000 question marks": ("? " * 90_000 + "a", f":1:101: {LIMIT}"),
    "90,000 values": (f"a: [{'1,' * 90_000}]", f":1:39999: {LIMIT}"),
    "18,000 values": (f"a: [{'1,' * 18_000}]", ":1:1: arms is missing: add it"),
    "9,000 keys": ("\n".join(f"k{i}: {i}" for i in range(9000)), ":1:1: unknown key 'k0'"),
    "99,000 words": (f"a: {'x ' * 99_000}", ":1:1: arms is missing: add it"),
    "49,000 escapes": ('a: "' + "\\x41" * 49_000 + '"', ":1:1: arms is missing: add it"),
    "49,000 lines": ("a: >\n" + "  x\n" * 49_000, ":1:1: arms is missing: add it"),
    "199,000 blank lines": ("\n" * 199_000 + "1", f":199001:1: {NO_STUDY}"),
    "39,000 directives": ("%FOO\n" * 39_000 + "--- 1", f":39001:5: {NO_STUDY}"),
    "19,000 anchors": (f"[{','.join(f'&a{i} 1' for i in range(19_000))}]", f":1:1: {NO_STUDY}"),
    "10 MB": ("a: " + "x" * 10_000_000, ": more than 200,000 bytes: a study needs few"),
}
PLACES = {
    "missing": (lambda path: None, ": file not found"),
    "folder": (lambda path: path.mkdir(), FOLDER),
    "pipe": (lambda path: os.mkfifo(path), PIPE),
    "socket": (listening, SOCKET),
    "without an end": (to("/dev/zero"), DEVICE),
    "nothing": (to("/dev/null"), DEVICE),
    "link to itself": (to("study.yaml"), ": cannot be read: Too many levels"),
    "link to nothing": (to("nowhere"), ": file not found"),
    "memory": (to("/proc/self/mem"), ": cannot be read: Input/output error"),
}
CASES = {
    f"{family} {name}": case
    for family, cases in {
        "number:": NUMBERS,
        "grid:": GRIDS,
        "key:": KEYS,
        "shape:": SHAPES,
        "syntax:": SYNTAX,
        "text:": TEXTS,
        "size:": SIZES,
        "place:": PLACES,
    }.items()
    for name, case in cases.items()
}


def write(content, path):
    """Put a case's file, or what stands in its place, at the path."""
    if callable(content):
        content(path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
