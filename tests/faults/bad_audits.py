"""Malformed files of published numbers: what they hold, and what is said of it after the name."""

import os

COUNTS = "arm,alpha,run,group,n,detected\n"
MEANS = "arm,alpha,recall,variance\n"
GROUPS = "arm,alpha,a,b\n"
HIDDEN = "has invisible characters: remove them"
FORMULA = "begins like a spreadsheet formula: write it differently"
PIPE, DEVICE = (f": this is {what}: give a file" for what in ("a pipe", "a device"))
BYTES = ": more than 2,000,000 bytes: leave rows out"


def row(n="100", detected="80", *, arm="none", alpha="", run="0", group="a"):
    """One row of counts."""
    return f"{COUNTS}{arm},{alpha},{run},{group},{n},{detected}\n"


def counts(arms=1, runs=1, groups=2):
    """A sound file of this many rows."""
    return COUNTS + "".join(
        f"max,{arm / 1000},{run},g{group},100,80\n"
        for arm in range(1, arms + 1)
        for run in range(runs)
        for group in range(groups)
    )


def to(target):
    """A link in place of the file."""
    return lambda path: path.symlink_to(target)


NUMBERS = {
    "not a number": (row(detected="nan"), ":2: column 'detected': 'nan' is not a number"),
    "infinite": (row("inf"), ":2: column 'n': 'inf' is not a number"),
    "beyond floats": (row("1e999"), ":2: column 'n': 1e999 is not a whole number"),
    "beyond memory": (row("1e99999999"), ":2: column 'n': '1e99999999' is not a number"),
    "beyond floats, alpha": (row(alpha="1e999"), ":2: column 'alpha': 1e999 is more than"),
    "beyond floats, mean": (f"{MEANS}x,,1e999,1\n", ":2: column 'recall': 1e999 is more than 100"),
    "negative": (row(detected="-80"), ":2: column 'detected': -80 is negative"),
    "negative, variance": (f"{MEANS}x,,92.1,-1\n", ":2: column 'variance': -1 is negative"),
    "more than all": (row(detected="180"), ":2: column 'detected': 180 is more than n = 100"),
    "of none": (row("0", "0"), ":2: column 'n': is 0: recall needs at least one portrait"),
    "empty": (row(detected=""), ":2: column 'detected': is empty"),
    "half": (row("100.5"), ":2: column 'n': 100.5 is not a whole number"),
    "other digits": (f"{MEANS}x,,٩٢,1\n", ":2: column 'recall': '٩٢' is not a number"),
    "decimals": (f"{MEANS}x,,9.{'9' * 40},1\n", ":2: column 'recall': 9.9999"),
    "9,000 digits": (row("1" * 9000), ":2: a cell of 9,000 characters: write 200 at most"),
    "words": (f"{GROUPS}x,,high,low\n", ":2: column 'a': 'high' is not a number"),
}
TEXTS = {
    "NUL": (row(group="a\0"), f":2: 'a\\x00' {HIDDEN}"),
    "escape": (row(arm="\x1b[31mx"), f":2: '\\x1b[31mx' {HIDDEN}"),
    "escape in the header": ("arm,\x1b[31m\nx,1\n", f":1: '\\x1b[31m' {HIDDEN}"),
    "backwards": (row(arm="\u202ex"), f":2: '\\u202ex' {HIDDEN}"),
    "two lines": (row(arm='"a\nb"'), f":2: 'a\\nb' {HIDDEN}"),
    "formula": (row(arm="=cmd|' /C calc'!A0"), f":2: \"=cmd|' /C calc'!A0\" {FORMULA}"),
    "formula, at": (row(arm="@SUM(A1)"), f":2: '@SUM(A1)' {FORMULA}"),
    "formula, plus": (row(group="+1+1"), f":2: '+1+1' {FORMULA}"),
    "formula, minus": (row(run="-1+1"), f":2: '-1+1' {FORMULA}"),
    "formula in the header": ("arm,=1+1\nx,1\n", f":1: '=1+1' {FORMULA}"),
    "100,000 letters": (row(arm="x" * 100_000), ":2: a cell of 100,000 characters: write 200"),
    "200,000 letters": (row(arm="x" * 200_000), ":2: is not CSV: field larger than field limit"),
    "open quotes": (row(arm='"x'), ":2: is not CSV: unexpected end of data"),
    "Latin-1": (row(arm="größe").encode("latin-1"), ":2: is not UTF-8: save it as CSV in UTF-8"),
    "UTF-16, half a letter": (row().encode("utf-16")[:-1], ":2: is not UTF-8: save it as CSV"),
    "program": (b"\x7fELF\x02\x01\x80", ":1: is not UTF-8: save it as CSV in UTF-8"),
    "pickle": (b"\x80\x04\x95cos\nsystem\n(S'touch canary'\ntR.", ":1: is not UTF-8: save it"),
}
SHAPES = {
    "empty": ("", ": is empty: the first line names the columns"),
    "blank": ("\n\n", ": is empty: the first line names the columns"),
    "header": (COUNTS, ":1: a header and no rows"),
    "one column": ("arm\nx\n", ":1: unknown format"),
    "bars": (row().replace(",", "|"), ":1: unknown format"),
    "decimal comma": (
        f"{MEANS}x,,92.1,1\n".replace(",", ";").replace(".", ","),
        ":2: column 'recall': '92,1' is not a number: write a decimal point, not a comma",
    ),
    "column twice": (f"arm,{row()}", ":1: column 'arm': is twice in the header"),
    "column without a name": (f"{MEANS[:-1]},\nx,,1,1,1\n", ":2: 5 cells, but the header has 4"),
    "short row": (f"{MEANS}x,,1\n", ":2: 3 cells, but the header has 4 columns"),
    "wide row": (f"{MEANS}{'x,' * 100_000}\n", ":2: 100,000 cells, but the header has 4"),
    "wide header": (f"arm,{','.join(map(str, range(100_000)))}\n", ":1: more than 200 columns"),
    "page": ("<!DOCTYPE html><html>", ":1: unknown format"),
    "run without a group": (counts(groups=1), ":2: column 'group': run 0 of max, alpha = 0.001"),
    "row twice": (row() + row()[len(COUNTS) :] * 20_000, ":3: column 'group': a of run 0 of none"),
    "100 arms": (counts(arms=100), ":102: column 'arm': more than 50 arms: leave some out"),
    "1,000 runs": (counts(runs=1000), ":202: column 'run': more than 100 runs of max, alpha"),
    "40,000 rows": (counts(runs=20_000), ":20002: more than 20,000 rows: leave some out"),
    "500,000 lines": ("\n" * 500_000, ": is empty: the first line names the columns"),
    "3 MB": (COUNTS + row()[len(COUNTS) :] * 200_000, BYTES),
    "100 MB": (lambda path: path.touch() or os.truncate(path, 10**8), BYTES),
}
PLACES = {
    "missing": (lambda path: None, ": cannot be read: No such file or directory"),
    "folder": (lambda path: path.mkdir(), ": holds no CSV file"),
    "pipe": (lambda path: os.mkfifo(path), PIPE),
    "without an end": (to("/dev/zero"), DEVICE),
    "nothing": (to("/dev/null"), DEVICE),
    "link to itself": (to("table.csv"), ": cannot be read: Too many levels of symbolic links"),
    "link to nothing": (to("nowhere"), ": cannot be read: No such file or directory"),
}
CASES = {
    f"{family} {name}": case
    for family, cases in {
        "number:": NUMBERS,
        "text:": TEXTS,
        "shape:": SHAPES,
        "place:": PLACES,
    }.items()
    for name, case in cases.items()
}
