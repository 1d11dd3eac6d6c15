"""The audited literature: the files of published numbers, and what the audit says of them."""

import functools
import re

import pytest
from places import ROOT

from repro.analysis.audit.inspection import audit
from repro.analysis.audit.reading.description import read_description
from repro.reporting.tables import audit_tables
from repro.reporting.tables.presentation import Presentation
from repro.system.printing import printable

FOLDER = ROOT / "studies" / "published"
TABLES = sorted(FOLDER.glob("*.csv"))
HOW = "repro audit studies/published --format markdown -o report/audited.md"


@functools.cache
def audited():
    """The audit of all files."""
    return audit([FOLDER])


def findings(file, check=None):
    """The findings on a file, of one check if it is named."""
    return [
        one
        for one in audited().findings
        if one.about.startswith(file) and check in (None, one.check)
    ]


def test_the_page_of_audited_literature_is_what_the_program_writes():
    """After a change of the checks or of the numbers it is written again."""
    text = audit_tables.text(audited().publications, Presentation(form="markdown"), label="x")

    assert (ROOT / "report" / "audited.md").read_text() == f"{printable(text)}\n", f"run {HOW}"


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_published_table_says_where_it_is_printed(path):
    """Who, and where; a transcription says from what."""
    said = read_description(path.with_suffix(".yaml"))

    assert said.source
    assert said.printed


def test_whatever_is_open_says_what_would_settle_it():
    """So does whatever cannot be."""
    mute = [
        one
        for one in audited().findings
        if one.result in ("impossible", "contradicts", "cannot tell") and not one.settle
    ]

    assert mute == []


def test_four_cells_of_gender_shades_are_no_shares_of_the_stated_groups():
    """They are 20.8 and 34.5 of darker women, and .7 and 12.0 of darker men."""
    (grim,) = findings("gendershades", "GRIM")

    assert grim.result == "impossible"
    assert grim.text.startswith("4 of 12 shares are no shares")
    assert re.findall(r"([\d.]+) % in (\S+), (\w+)", grim.text) == [
        ("20.8", "Microsoft", "darker_female"),
        ("34.5", "Face++", "darker_female"),
        ("0.7", "Face++", "darker_male"),
        ("12.0", "IBM", "darker_male"),
    ]


def test_four_margins_of_gender_shades_do_not_follow_from_their_groups():
    """No rounding mends them; IBM's all follow."""
    (margins,) = [one for one in findings("gendershades") if "margins" in one.text]

    assert margins.result == "contradicts"
    assert re.findall(r"(\w+) ([\d.]+) in (\S+) \(", margins.text) == [
        ("female", "10.7", "Microsoft"),
        ("male", "2.6", "Microsoft"),
        ("female", "21.3", "Face++"),
        ("darker", "16.5", "Face++"),
    ]


def test_two_numbers_of_an_abstract_are_no_shares_of_the_benchmark():
    """They are 6.60 of 1,270 and 22.50 of 271, where 61 print as 22.51."""
    (grim,) = findings("raji", "GRIM")

    assert grim.result == "impossible"
    assert re.findall(r"([\d.]+) % in Kairos", grim.text) == ["22.50", "6.60"]


def test_racial_faces_in_the_wild_is_sound():
    """All 32 accuracies are whole counts of 6,000, and both rows of means are right."""
    grims, means = findings("rfw", "GRIM"), findings("rfw", "Mean row")

    assert [(one.result, one.text[:25]) for one in grims] == [
        ("fits", "All 16 shares are possibl")
    ] * 2
    assert [one.result for one in means] == ["fits"] * 2
    assert all("rounded half up" in one.text for one in means)


def test_the_runs_of_fijen_et_al_are_sound():
    """All 340 recalls are whole counts, and the variances those of their rows (ddof 1)."""
    (grim,) = findings("fijen2020_runs", "GRIM")
    (variance,) = findings("fijen2020_runs", "Definition of the variance")

    assert (grim.result, grim.text[:10]) == ("fits", "All 340 sh")
    assert "sample variance (ddof 1)" in variance.text
    assert "85 of 85" in variance.text


def test_the_last_row_of_amini_et_al_contradicts_their_own_figure():
    """In both columns."""
    (row,) = findings("amini2019_table1", "Contradiction")

    assert row.about.endswith("alpha = 0.001")
    assert "Recall published 97.36" in row.text
    assert "variance published 9.43" in row.text


def test_the_last_variance_of_de_haan_et_al_is_a_misprint():
    """Their counts give 22.43."""
    (row,) = findings("dehaan2020_table3", "Misprint in the last digit")

    assert row.text.startswith("Variance published 22.42, computed 22.43")


def test_no_sentence_accuses():
    """What was printed wrongly is said; how it came about nobody knows."""
    text = (ROOT / "report" / "audited.md").read_text().lower()

    assert not re.search(r"made up|fabricat|fraud|invented|fake|dishonest|suspicious", text)
