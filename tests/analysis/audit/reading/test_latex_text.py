"""Tables as authors paste them from their papers."""

import pytest

from repro.analysis.audit.reading.grid import NotATable

PAPER = r"""
\newcommand{\ours}{FairNet}
\newcommand{\res}[2]{#1{\scriptsize $\pm$#2}}
\begin{table*}[t]
\caption{Worst-group accuracy (\%) on \textbf{Waterbirds}~\cite{x}}
\centering\small
\resizebox{\textwidth}{!}{
\begin{tabular}{@{}llcc|cc@{}} % a comment & more \\
\toprule
\multirow{2}{*}{Method} & \multirow{2}{*}{Net} & \multicolumn{2}{c}{Birds} & \multicolumn{2}{c}{CelebA} \\
\cmidrule(lr){3-4} \cmidrule(lr){5-6}
 & & Avg & Worst & Avg & Worst \\
\midrule
\multicolumn{6}{l}{\textit{Without group labels}} \\
ERM~\citep{v} & RN50 & $97.3_{\pm 0.2}$ & \underline{60.0} & 95.6\% & $<$0.1 \\
\rowcolor{gray!20} \ours & & \res{93.1}{0.4} & \textbf{\res{88.9}{1.2}} & -- & 84.1 (0.4) \\[2pt]
\midrule
\multicolumn{6}{l}{\textit{With group labels}} \\
\multirow{2}{*}{DRO$^\dagger$} & RN50 & 93.5 $\pm$ 0.3 & 91.4 & {\bf 92.9} & 88.9$^{*}$ \\
 & RN101 & \phantom{0}3.5 & 1{,}270 & \cellcolor[gray]{.9}92.9 & \textcolor{red}{88.9} \\
\bottomrule
\end{tabular}}
\end{table*}
"""  # noqa: E501


def test_header_names_what_spans_columns(grids):
    """As spanned, above the rule."""
    first, second = grids("a.tex", PAPER)

    assert first.header == second.header
    assert first.header == (
        *("Method", "Net", "Birds Avg", "Birds Worst", "CelebA Avg", "CelebA Worst"),
    )


def test_a_row_over_all_columns_divides_a_table(grids):
    """Its words go to the caption."""
    assert [grid.caption.rpartition(": ")[2] for grid in grids("a.tex", PAPER)] == [
        "Without group labels",
        "With group labels",
    ]


def test_cells_hold_what_is_printed(grids):
    """Faces, colours, references, comments and the author's own macros are written out."""
    first, second = grids("a.tex", PAPER)

    assert [(row.line, row.cells) for row in (*first.rows, *second.rows)] == [
        (15, ("ERM", "RN50", "97.3±0.2", "60.0", "95.6%", "<0.1")),
        (16, ("FairNet", "", "93.1 ±0.4", "88.9 ±1.2", "--", "84.1 (0.4)")),
        (19, ("DRO†", "RN50", "93.5 ± 0.3", "91.4", "92.9", "88.9*")),
        (20, ("DRO†", "RN101", "3.5", "1,270", "92.9", "88.9")),
    ]
    assert second.notes == ("column 'Method' is empty in line 20: the name above was taken.",)


def test_domainbed_prints_its_results_so(cells):
    """Bold names, ± in mathematics, X for no result."""
    text = r"""
\begin{center}
\adjustbox{max width=\textwidth}{%
\begin{tabular}{lccccc}
\toprule
\textbf{Algorithm}  & \textbf{A}     & \textbf{C}     & \textbf{Avg}         \\
\midrule
ERM                 & 84.7 $\pm$ 0.4 & 80.8 $\pm$ 0.6 & 85.5                 \\
CORAL               & X              & X              & X                    \\
\bottomrule
\end{tabular}}
\end{center}
"""

    assert cells("results.tex", text) == [
        ("Algorithm", "A", "C", "Avg"),
        ("ERM", "84.7 ± 0.4", "80.8 ± 0.6", "85.5"),
        ("CORAL", "X", "X", "X"),
    ]


def test_lines_for_rules_and_broken_cells(grid):
    """As generators of tables write them, with the caption below."""
    text = r"""
\begin{table}[]
\begin{tabular}{|l|l|l|}
\hline
Model & \begin{tabular}[c]{@{}l@{}}Dark\\ male\end{tabular} & \makecell{Light\\male} \\ \hline
A\&B\_1 & 0.957 & 0.99 \\ \hline
C & \multicolumn{2}{c|}{--} \\ \hline
\end{tabular}
\caption{Below.}
\end{table}
"""
    found = grid("a.tex", text)

    assert (found.caption, found.header) == ("Below.", ("Model", "Dark male", "Light male"))
    assert [row.cells for row in found.rows] == [("A&B_1", "0.957", "0.99"), ("C", "--", "--")]


def test_a_table_over_several_pages(grid):
    """Its repeated headers are no rows."""
    text = r"""
\begin{longtable}{lr}
\caption{Long}\label{x}\\
\toprule Arm & E \\ \midrule \endfirsthead
\toprule Arm & E \\ \midrule \endhead
\bottomrule \endfoot
a & 1.0 \\
b & 2.0 \\
\end{longtable}
"""
    found = grid("a.tex", text)

    assert (found.caption, found.header) == ("Long", ("Arm", "E"))
    assert [row.cells for row in found.rows] == [("a", "1.0"), ("b", "2.0")]


def test_rows_without_their_environment(cells):
    """As somebody copies the middle of a table."""
    text = "Method & A & C \\\\\nERM & 84.1 $\\pm$ 0.4 & 80.2 \\\\\n"

    assert cells("a.txt", text) == [("Method", "A", "C"), ("ERM", "84.1 ± 0.4", "80.2")]


def test_a_section_names_a_table_without_a_caption(grids):
    """The nearest above."""
    table = r"\begin{tabular}{ll} arm & a \\ x & 1 \\ \end{tabular}"
    text = f"\\section{{One}}\n{table}\n\\subsection*{{Two}}\n{table}\n"

    assert [grid.caption for grid in grids("a.tex", text)] == ["One", "Two"]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (r"x & \gain{1} & 2", "what \\gain prints is not known: write it out, or add its"),
        (r"x & \multicolumn{2}{c}{5.0}", "'5.0' spans 2 columns: give each its own number"),
        (r"x & 1 & 2 & 3", "4 cells, but the header has 3 columns"),
        (r"x & \multicolumn{999}{c}{5.0}", "more than 200 columns"),
        (r"=x & 1 & 2", "'=x' begins like a spreadsheet formula: write it differently"),
        (r"x & " + r"\textbf{" * 4000 + "1" + "}" * 4000 + " & 2", "a cell of "),
    ],
)
def test_what_a_row_prints_must_be_known(grids, row, problem):
    """Nothing is guessed of other people's macros and spans."""
    with pytest.raises(NotATable) as caught:
        grids("a.tex", "\\begin{tabular}{lll}\narm & a & b \\\\ \\hline\n" + row + " \\\\\n")
    assert f"a.tex:3: {problem}" in str(caught.value)


def test_a_macro_that_leads_to_itself_ends(grids):
    """With its name."""
    text = r"\newcommand{\a}{\b\b}\newcommand{\b}{\a\a}\begin{tabular}{l}c & d \\ \a & 1 \\"

    with pytest.raises(NotATable, match=r"what \\a prints is not known"):
        grids("a.tex", text)


def test_a_file_without_a_table(grids):
    """Is said so."""
    with pytest.raises(NotATable, match="holds no table in LaTeX"):
        grids("a.tex", "Hello \\\\ world")
