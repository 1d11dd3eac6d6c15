"""Tables of studies with awkward names and sizes are LaTeX that compiles, the same every time."""

import re
import shutil
import subprocess

import pandas as pd
import pytest
from report_chapters import ARMS, GROUPS, UNDERFLOW, chapter

from repro.metrics import Count
from repro.reporting.tables import latex_table, rendering, tables
from repro.reporting.tables.table_part import Part

NAMES = [
    *("a_b", "50 %", "% all of this", "a & b", "#1", "$5", "$x$", "~", "^", "x^2_i", "\\", "\\\\"),
    *("{", "}", "{}", "}{", "\\}", "\\{", "$$", "&&", "%%", "##", "__", "^^", "^^41", "~~", "\\'"),
    *("\\relax", "\\input{/etc/passwd}", "\\immediate\\write18{touch canary}", "\\end{tabular}"),
    *("[x]", "*", "\\\\[9cm]", "-", "--", "``", "''", '"', "'", "<", ">", "|", "a,b;c", "naïve ß"),
    *("日本", "😀", "x" * 120, "alpha = 0.1", "E[A]", " a  b ", "a\u200bb", "−½ × 10⁻³"),
]
SIZES = {
    "awkward": {"arms": dict.fromkeys(NAMES, ARMS["none"])},
    "one run": {"of": 1, "select": {"keep": 1, "by": "recall", "split": "test"}},
    "no run": {"missing": [(arm, seed) for arm in ARMS for seed in range(3)]},
    "an arm without a run": {"missing": [("none", seed) for seed in range(3)]},
    "fifty arms": {"arms": {f"arm_{i} & {i} %": ARMS["none"] for i in range(50)}},
    "failed": {
        "changed": {
            (arm, seed): {"failure": UNDERFLOW | {"reason": NAMES[-23]}, "groups": {}}
            for arm in ARMS
            for seed in range(3)
        }
    },
    "perfect": {
        "changed": {
            (arm, seed): {"groups": dict.fromkeys(GROUPS, Count(100, 100))}
            for arm in ARMS
            for seed in range(3)
        }
    },
}
STYLES = ("paper", "full")
DOCUMENT = """\\documentclass{article}
\\usepackage[utf8]{inputenc}
\\usepackage{booktabs,graphicx,longtable}
\\extrafloats{100}
\\begin{document}
%s
\\end{document}
"""


def printed(size, style):
    """What the command prints of a study of this kind."""
    found = chapter(**({"drawn": []} | SIZES[size])).outcomes
    return rendering.render(tables.parts(found, style=style), form="latex", label="toy")


def mistakes(text):
    """What TeX would take for a command of ours, though it is part of a name."""
    plain = re.sub(r"\\(?:[%#_&{}$]|\\(?=\s))", "", text)
    depth, lowest = 0, 0
    for sign in re.findall("[{}]", plain):
        depth += 1 if sign == "{" else -1
        lowest = min(lowest, depth)
    outside = re.sub(r"\\\w+", "", re.sub(r"\$[^$]*\$", "", plain))
    found = [sign for sign in "#^_~$" if sign in outside]
    found += ["%"] if "%" in outside.replace("{%\n", "") else []
    return found + (["braces"] if depth or lowest else [])


def rows(text):
    """Cells of each row of each table."""
    return [
        [len(re.findall(r"(?<!\\)&", line)) for line in table.splitlines() if line.endswith("\\\\")]
        for table in re.findall(r"\\begin\{tabular\}(.*?)\\end\{tabular\}", text, re.DOTALL)
    ]


@pytest.mark.parametrize("text", ["a_b", "50 % x", "a & b # c", "$5", "x^2", "~", "{", "a} {b"])
def test_what_is_not_written_out_is_seen(text):
    """The checker of these tests finds what TeX would stumble over."""
    assert mistakes(text) != []


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("size", SIZES)
def test_awkward_names_are_written_out(size, style, tally):
    """No sign of a name reaches TeX as a command; rows keep their number of cells."""
    text = printed(size, style)
    tally.bad_inputs += len(SIZES[size].get("arms", ARMS))

    assert mistakes(text) == []
    assert all(len(set(cells)) == 1 for cells in rows(text))
    assert not re.search(r"\bnan\b|\binf\b|None", text)


@pytest.mark.parametrize("size", SIZES)
def test_tables_are_the_same_every_time(size, amount):
    """The same records give the same bytes."""
    assert len({printed(size, "full") for _ in range(amount(2, 20))}) == 1


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex to compile with")
def test_tables_compile(tmp_path):
    """All of them in one document, with booktabs, graphicx, longtable and nothing else."""
    body = "\n\\clearpage\n".join(printed(size, style) for size in SIZES for style in STYLES)
    (tmp_path / "tables.tex").write_text(DOCUMENT % body, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=120)

    assert done.returncode == 0, done.stdout[-3000:].decode("latin-1")
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_reads_the_same_in_every_place(name):
    """Title, head, cell and remark are written out alike."""
    table = pd.DataFrame({name: [name]}, index=pd.Index([name], name="Arm"))
    part = Part(name="one", title=name, table=table, remarks=[name])
    text = rendering.render([part], form="latex", label="toy")

    assert mistakes(text) == []
    assert text.count(latex_table.text(name).strip()) >= 5
