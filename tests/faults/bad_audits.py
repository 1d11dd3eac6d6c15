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
    "not a number": (row(detected="many"), ":2: column 'detected': 'many' is not a number"),
    "infinite": (row("inf"), ":2: column 'n': gives no number of portraits, but there is"),
    "beyond floats": (row("1e999"), ":2: column 'n': 1e999 is more than 1000000000"),
    "beyond memory": (row("1e99999999"), ":2: column 'n': '1e99999999' is not a number"),
    "beyond floats, alpha": (row(alpha="1e999"), ":2: column 'alpha': 1e999 is more than"),
    "beyond floats, mean": (f"{MEANS}x,,1e999,1\n", ":2: column 'recall': 1e999 is more than 100"),
    "negative": (row(detected="-80"), ":2: column 'detected': -80 is negative"),
    "negative, variance": (f"{MEANS}x,,92.1,-1\n", ":2: column 'variance': -1 is negative"),
    "more than all": (row(detected="180"), ":2: column 'detected': 180 is more than n = 100"),
    "of none": (row("0", "0"), ":2: column 'n': is 0: recall needs at least one portrait"),
    "empty": (row(""), ":2: column 'n': gives no number of portraits, but there is"),
    "half": (row("100.5"), ":2: column 'n': 100.5 is not a whole number"),
    "other digits": (f"{MEANS}x,,٩٢,1\n", ":2: column 'recall': '٩٢' is not a number"),
    "decimals": (f"{MEANS}x,,9.{'9' * 40},1\n", ":2: column 'recall': 9.9999"),
    "9,000 digits": (row("1" * 9000), ":2: a cell of 9,000 characters: write 200 at most"),
    "words": (f"{GROUPS}x,,high,low\n", ":1: no column holds shares, counts or variances"),
    "two numbers": (f"{MEANS}x,,91/92,1\n", ":2: column 'recall': '91/92' is two numbers"),
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
    "one column": ("arm\nx\n", ":1: has one column: a table has a name and a number at least"),
    "bars": (row().replace(",", "|"), ":1: has one column: a table has a name and a number"),
    "decimal commas and points": (
        f"{MEANS}x,,92.1,1\n".replace(",", ";") + "y;;92,3;1\n",
        ":3: '92,3', but '92.1' in line 2: write decimal points in all",
    ),
    "column twice": (f"arm,{row()}", ":1: column 'arm': is twice in the header"),
    "column without a name": (
        f"{MEANS[:-1]},\nx,,1,1,1\n",
        ":1: column 5 has no name in the header",
    ),
    "short row": (f"{MEANS}x,,1\n", ":2: 3 cells, but the header has 4 columns"),
    "wide row": (f"{MEANS}{'x,' * 100_000}\n", ":2: 100,000 cells, but the header has 4"),
    "wide header": (f"arm,{','.join(map(str, range(100_000)))}\n", ":1: more than 200 columns"),
    "page": ("<!DOCTYPE html><html>", ": is an HTML page: copy the table into a text file"),
    "run without a group": (
        counts() + "max,0.001,1,g0,100,80\n",
        ":4: column 'group': run 1 of max, alpha = 0.001 lacks g1",
    ),
    "row twice": (row() + row()[len(COUNTS) :] * 9_000, ":3: column 'group': a of run 0 of none"),
    "unknown columns": (
        "arm,A,C,darker_male\nERM,84.1,80.2,79.0\n",
        ":1: columns 'A' and 'C' hold numbers, and their names do not say of what",
    ),
    "no unit": ("arm,dark,light\nERM,0.841,0.802\n", ":1: no share is above 1, so they may be"),
    "no arm": ("metric,correct,total\nage,7,10\n", ":1: no column names the arms. Say which does"),
    "arms repeat": (
        "arm,dark,light\nERM,84.1,80.2\nERM,83.1,81.2\n",
        ":3: column 'arm': ERM is already in line 2: it stands in lines 2 and 3, and no column",
    ),
    "counts of how many": (
        "arm,group,correct\nx,a,3\n",
        ":1: no column gives the number of portraits. Say which does",
    ),
    "two columns of one group": (
        "arm,dark male,darker_male\nx,80,81\n",
        ":1: column 'darker_male': names the same group as column 'dark male'",
    ),
    "two overall columns": (
        "arm,acc_mean,overall_acc\nx,80,81\n",
        ":1: column 'overall_acc': means the same as column 'acc_mean'",
    ),
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
GOOD = f"{MEANS}x,,92.1,1\n"
OPTIONS = {  # what is given beside a sound file, and what is said
    "unknown column": (("--column", "seed=run"), "no file has a column 'seed'; the columns are"),
    "no role": (("--column", "seed"), "--column 'seed': write NAME=VALUE, as in --column seed=run"),
    "unknown role": (("--column", "recall=shrae"), "unknown role 'shrae'; did you mean 'share'?"),
    "all ignored": (("--column", "recall,variance=ignored"), "no column holds shares, counts or"),
    "no size": (
        ("--group", "dark"),
        "--group 'dark': write NAME=VALUE, as in --group darker_male=",
    ),
    "size of none": (("--group", "dark=0"), "--group dark: '0' is not a whole number of portraits"),
    "size in words": (("--group", "dark=many"), "--group dark: 'many' is not a whole number of"),
    "size of everybody": (("--group", "dark=99999999999"), "'99999999999' is not a whole number"),
    "more kept than made": (
        ("--keep", "3", "--runs", "2"),
        "keep is 3, but there were 2 replicates",
    ),
    "reference without runs": (("--reference", "x"), "reference needs single runs"),
}
BESIDE = {  # the YAML beside a sound file, and what is said after its name
    "unknown key": ("rnus: 3\n", ".yaml:1:1: unknown key 'rnus'"),
    "unknown unit": (
        "unit: per cent\n",
        ".yaml:1:7: unit: 'per cent' is not one of percent, fraction",
    ),
    "no runs": (
        "replicates: 0\n",
        ".yaml:1:13: replicates: input should be greater than or equal to 1",
    ),
    "more kept than made": ("replicates: 3\nkeep: 5\n", ".yaml:1:1: keep is 5, but there were 3"),
    "a list": ("- a\n", ".yaml:1:1: a mapping of "),
    "not YAML": ("a: [\n", ".yaml:2:1: not YAML"),
    "unknown column": ("columns: {seed: run}\n", ".csv: has no column 'seed', which table.yaml"),
    "unknown role": ("columns: {recall: rum}\n", ".csv:1: column 'recall': unknown role 'rum'"),
    "escape": ('source: "\x1b[31m"\n', ".yaml:1:10: U+001B is not a text character"),
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
