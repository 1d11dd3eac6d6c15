"""Somebody else's numbers: how they are read, what is refused, what is found."""

import math
from pathlib import Path

import numpy as np
import pytest
from places import FILES

from repro.analysis.audit.checks.finding import Finding
from repro.analysis.audit.inspection import audit
from repro.analysis.audit.reading.description import Description
from repro.errors import DataError

RUNS = (FILES / "dehaan2020_sum_runs.csv").read_text()
TABLE_3 = """\
arm,alpha,recall,variance
no_debias,,92.39,46.20
max,0.1,91.78,36.39
max,0.05,90.76,32.33
max,0.01,90.52,22.00
max,0.001,85.22,22.42
"""
TABLE_1 = """\
arm,alpha,mean_accuracy,variance
no_debias,,95.13,28.84
product,0.1,95.84,25.43
product,0.05,96.47,18.08
product,0.01,97.13,9.49
product,0.001,97.36,9.43
"""
FIGURE_5B = """\
arm,alpha,darker_male,darker_female,lighter_male,lighter_female,overall
no_debias,,87.54,95.19,99.47,98.29,95.29
product,0.1,88.72,95.78,99.78,99.03,95.99
product,0.05,90.62,96.01,99.83,99.38,96.61
product,0.01,92.82,96.96,99.57,99.11,97.22
product,0.001,92.45,97.04,99.47,99.58,97.21
"""
PUBLISHED = {
    "dehaan2020_sum_runs": RUNS,
    "dehaan2020_table3": TABLE_3,
    "amini2019_table1": TABLE_1,
    "amini2019_fig5b": FIGURE_5B,
}
COUNTS = "arm,alpha,run,group,n,detected\n"
PERCENT = "arm,alpha,run,group,n,accuracy_percent\n"
SMALL = COUNTS + "a,,1,x,4,2\na,,1,y,2,1\na,,2,x,4,3\na,,2,y,2,2\nb,0.1,1,x,4,4\nb,0.1,1,y,2,0\n"


@pytest.fixture
def put(tmp_path):
    """Writes files by stem and returns their paths."""

    def write(**texts):
        paths = []
        for stem, text in texts.items():
            path = tmp_path / f"{stem}.csv"
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            paths.append(path)
        return paths

    return write


def only(found, check, about=""):
    """The one finding of this title, about something whose name contains the word."""
    (finding,) = (f for f in found.findings if f.check == check and about in f.about)
    return finding


def checks(found):
    """Titles and results."""
    return [(finding.check, finding.result) for finding in found.findings]


# Reading


def test_counts_become_an_outcome(put):
    """Arms, runs and groups in the order of the file."""
    (outcomes,) = audit(put(runs=SMALL)).outcomes

    first, second = outcomes.arms
    assert (first.name, first.alpha, first.seeds, first.groups) == (
        "a",
        math.inf,
        (1, 2),
        ("x", "y"),
    )
    assert first.sizes.tolist() == [4, 2]
    assert first.recall.tolist() == [[0.5, 0.5], [0.75, 1.0]]
    assert first.selector.tolist() == pytest.approx([3 / 6, 5 / 6])
    assert (second.name, second.alpha, second.wanted) == ("b, alpha = 0.1", 0.1, 1)


def test_an_outcome_says_how_it_is_compared(put):
    """Runs of other people are no pairs, and their photographs are unknown."""
    (outcomes,) = audit(put(runs=SMALL)).outcomes

    assert (outcomes.name, outcomes.label, outcomes.reference, outcomes.keep) == (
        "runs",
        "runs",
        "a",
        2,
    )
    assert (outcomes.by, outcomes.split, outcomes.test) == ("recall", "test", "permutation")
    assert (outcomes.paired, outcomes.rates, outcomes.synthetic) == (False, (), False)
    assert outcomes.caption == "runs.csv: published runs of 2 arms, 1 to 2 runs each."


def test_reference_is_the_first_arm_without_resampling(put):
    """Not the first of the file."""
    (path,) = put(runs=COUNTS + "b,0.1,1,x,4,4\nb,0.1,1,y,2,0\na,,1,x,4,2\na,,1,y,2,1\n")

    assert audit([path]).outcomes[0].reference == "a"


def test_reference_may_be_named_as_the_file_does(put):
    """Underscores and spaces are one."""
    (path,) = put(runs=SMALL.replace("b,", "b_c,"))

    assert audit([path], reference="b_c, alpha = 0.1").outcomes[0].reference == "b c, alpha = 0.1"


def test_an_arm_without_a_column_alpha_has_none(put):
    """Unknown is not the same as no resampling."""
    text = "arm,run,group,n,detected\na,1,x,4,2\na,1,y,2,1\n"
    (arm,) = audit(put(runs=text)).outcomes[0].arms

    assert (arm.name, arm.alpha) == ("a", None)


def test_runs_that_are_not_numbered_are_counted(put):
    """Seeds are whole numbers."""
    text = COUNTS + "".join(f"a,,v{run},{group},4,2\n" for run in (7, 9) for group in "xy")
    (arm,) = audit(put(runs=text)).outcomes[0].arms

    assert arm.seeds == (1, 2)


def test_runs_with_equally_many_detections_select_alike(put):
    """Ties are broken by the order of the runs, not by rounding."""
    text = COUNTS + "".join(
        f"a,,{run},{group},{n},{k}\n"
        for run, counts in ((1, (100, 20, 1)), (2, (101, 19, 1)), (3, (99, 21, 1)))
        for group, n, k in zip("xyz", (318, 271, 3), counts, strict=True)
    )
    (arm,) = audit(put(runs=text)).outcomes[0].arms

    assert len(set(arm.selector)) == 1


def test_a_further_column_parts_the_file(put):
    """Each value is a study of its own; a constant column is none."""
    text = "".join(
        f"{line},{'kind' if at == 0 else word}\n"
        for word in ("sum", "mean")
        for at, line in enumerate(SMALL.splitlines())
        if at or word == "sum"
    )
    found = audit(put(runs=text))

    assert [(o.name, o.label) for o in found.outcomes] == [
        ("runs, sum", "runs-sum"),
        ("runs, mean", "runs-mean"),
    ]


def test_a_constant_column_parts_nothing(put):
    """The published file says 'sum' in every row."""
    assert audit(put(runs=RUNS)).outcomes[0].name == "runs"


def test_groups_may_differ_between_arms(put):
    """Within an arm they may not."""
    text = SMALL + "c,0.2,1,z,4,4\nc,0.2,1,w,4,4\n"

    assert audit(put(runs=text)).outcomes[0].arms[2].groups == ("z", "w")


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("accuracy_percent", 100),
        ("accuracy (percent)", 100),
        ("Accuracy [%]", 100),
        ("accuracy_fraction", 1),
        ("accuracy (fraction)", 1),
    ],
)
def test_accuracies_say_their_unit(put, header, unit):
    """All are fractions inside."""
    text = f"arm,alpha,run,group,n,{header}\na,,1,x,4,{0.75 * unit}\na,,1,y,4,{0.5 * unit}\n"

    assert audit(put(runs=text)).outcomes[0].arms[0].recall.tolist() == [[0.75, 0.5]]


def test_printed_fractions_are_read_as_percent(put):
    """The same table in fractions gives the same findings."""
    rows = [line.split(",") for line in TABLE_3.splitlines()[1:]]
    text = "arm,alpha,recall_fraction,variance_fraction\n" + "".join(
        f"{arm},{alpha},0.{recall.replace('.', '')},0.00{variance.replace('.', '')}\n"
        for arm, alpha, recall, variance in rows
    )

    assert audit(put(x=text)).findings == audit(put(x=TABLE_3)).findings


@pytest.mark.parametrize("header", ["recall", "mean_accuracy", "accuracy", "Recall (percent)"])
def test_printed_means_go_by_several_names(put, header):
    """Papers call it one or the other."""
    text = TABLE_3.replace("recall", header)

    assert only(audit(put(x=text)), "GRIM").result == "fits"


def test_a_byte_order_mark_and_blank_lines_are_no_matter(put):
    """Spreadsheets write them."""
    text = SMALL.replace("\n", "\r\n\r\n")

    assert len(audit(put(runs=b"\xef\xbb\xbf" + text.encode())).outcomes[0].arms) == 2


@pytest.mark.parametrize("mark", [";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_spreadsheet_may_separate_by_semicolons_or_tabs(put, mark, encoding):
    """The same file, and empty columns at its right, says the same."""
    text = "".join(f"{line.replace(',', mark)}{mark}{mark}\n" for line in SMALL.splitlines())

    assert audit(put(x=text.encode(encoding))).findings == audit(put(x=SMALL)).findings


# Refusing


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": is empty: the first line names the columns"),
        (COUNTS, ":1: a header and no rows"),
        (
            b"arm,alpha\n\xe9,1\n",
            ":2: is not UTF-8: save it as CSV in UTF-8 (in Excel: 'CSV UTF-8')",
        ),
        (
            "arm,alpha,run,run,group,n,detected\na,,1,1,x,3,2\n",
            ":1: column 'run': is twice in the header",
        ),
        (
            "arm,alpha,acc_mean,overall_acc,variance\na,,90,90,3\n",
            ":1: column 'overall_acc': means the same as column 'acc_mean': "
            'say which is not read, --column "overall_acc=ignored"',
        ),
        (
            "arm,dark male,darker_male\na,90,91\n",
            ":1: column 'darker_male': names the same group as column 'dark male': "
            'say which is not read, --column "darker_male=ignored"',
        ),
        (
            "arm,alpha,note\na,0.1,hi\n",
            ":1: no column holds shares, counts or variances; the roles are arm, alpha, run, "
            "group, n, detected, share, margin, overall, worst, best, gap, variance, sd, error, "
            "label, ignored",
        ),
        (COUNTS + 'a,,1,"x,3,2\n', ":2: is not CSV: unexpected end of data"),
        (COUNTS + "a,,1,x,3\n", ":2: 5 cells, but the header has 6 columns"),
        (COUNTS + "a,,1,x,3,two\n", ":2: column 'detected': 'two' is not a number"),
        (COUNTS + "a,,1,x,3,-2\n", ":2: column 'detected': -2 is negative"),
        (COUNTS + "a,,1,x,3,4\n", ":2: column 'detected': 4 is more than n = 3"),
        (COUNTS + "a,,1,x,0,0\n", ":2: column 'n': is 0: recall needs at least one portrait"),
        (COUNTS + "a,,1,x,3.5,2\n", ":2: column 'n': 3.5 is not a whole number"),
        (COUNTS + f"a,,1,x,{10**12},2\n", f":2: column 'n': {10**12} is more than {10**9}"),
        (COUNTS + "a,,,x,3,2\n", ":2: column 'run': is empty"),
        (COUNTS + ",,1,x,3,2\n", ":2: column 'arm': is empty"),
        (COUNTS + "a,-1,1,x,3,2\n", ":2: column 'alpha': -1 is negative"),
        (PERCENT + "a,,1,x,3,100.5\n", ":2: column 'accuracy_percent': 100.5 is more than 100"),
        (
            PERCENT + "a,,1,x,3,1e-999\n",
            ":2: column 'accuracy_percent': 1e-999 has more than 25 decimals",
        ),
        (
            COUNTS + "a,,1,x,3,2\na,,1,y,3,2\na,,1,x,3,1\n",
            ":4: column 'group': x of run 1 of a is already in line 2",
        ),
        (
            COUNTS + "a,,1,x,3,2\na,,1,y,3,2\na,,2,y,3,1\n",
            ":4: column 'group': run 2 of a lacks x",
        ),
        (
            COUNTS + "a,,1,x,3,2\na,,1,y,3,2\na,,2,x,4,1\na,,2,y,3,1\n",
            ":4: column 'n': 4, but x of a has 3 portraits in line 2",
        ),
        (
            COUNTS.replace("\n", ",site\n") + "a,,1,x,3,2,A\na,,1,y,3,2,B\n",
            ":3: column 'site': changes within a run, so it cannot divide the table: "
            '--column "site=ignored" leaves it out',
        ),
    ],
)
def test_a_malformed_file_is_refused_by_row_and_column(put, text, message):
    """What, where, what to do."""
    (path,) = put(bad=text)

    with pytest.raises(DataError) as caught:
        audit([path])

    assert str(caught.value) == f"{path}{message}"


def test_all_mistakes_of_all_files_are_reported_at_once(put):
    """By line within a file."""
    one, two = put(
        one=COUNTS + "a,,1,x,3,4\na,,1,y,three,2\n",
        two="arm,alpha,recall,variance\na,,ninety,3\n",
    )

    with pytest.raises(DataError) as caught:
        audit([one, two])

    assert str(caught.value).splitlines() == [
        f"{one}:2: column 'detected': 4 is more than n = 3",
        f"{one}:3: column 'n': 'three' is not a number",
        f"{two}:2: column 'recall': 'ninety' is not a number",
    ]


def test_a_list_of_mistakes_has_an_end(put):
    """Twenty lines, then a count."""
    with pytest.raises(DataError) as caught:
        audit(put(bad=COUNTS + "".join(f"a,,{run},x,3,4\n" for run in range(30))))

    assert str(caught.value).splitlines()[20:] == ["... and 10 more"]


def test_a_missing_file_is_named(tmp_path):
    """The system's own words."""
    with pytest.raises(DataError, match=r"gone\.csv: cannot be read: No such file or directory"):
        audit([tmp_path / "gone.csv"])


def test_no_file_at_all_is_refused():
    """An audit of nothing would find nothing wrong."""
    with pytest.raises(DataError, match="no file was named"):
        audit([])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep": 3}, "keep is 3, but no arm has more than 2 runs: keep at most 2"),
        ({"keep": 0}, "keep is 0: it must be at least 1"),
        ({"images": 0}, "images is 0: it must be at least 1"),
        ({"reading_error": math.nan}, "reading_error is nan: it must be a number from 0 to 100"),
        ({"reference": "c"}, "unknown arm 'c'; the arms are: a; b, alpha = 0.1"),
    ],
)
def test_an_option_that_does_not_suit_is_refused(put, options, message):
    """With what would suit."""
    with pytest.raises(DataError, match=message):
        audit(put(runs=SMALL), **options)


def test_an_option_without_effect_is_refused(put):
    """Printed means have no runs to compare."""
    with pytest.raises(DataError, match=r"reference needs single runs, and x\.csv gives none"):
        audit(put(x=TABLE_3), reference="no debias")


# Which files are read


def test_a_file_beside_with_the_same_arms_is_read_along(put):
    """Table 3 finds its runs, and not another study's figure."""
    paths = put(**PUBLISHED)
    found = audit([paths[1]])

    assert found.sources == (
        "dehaan2020_table3.csv: published means, 5 arms.",
        "dehaan2020_sum_runs.csv, also read because dehaan2020_table3.csv has the same arms: "
        "counts of every run, 5 arms.",
    )
    assert [outcomes.name for outcomes in found.outcomes] == ["dehaan2020_sum_runs"]


def test_a_file_may_be_read_alone(put):
    """Then nothing tells the definitions."""
    found = audit([put(**PUBLISHED)[1]], alone=True)

    assert found.sources == ("dehaan2020_table3.csv: published means, 5 arms.",)
    assert only(found, "Definitions").result == "cannot tell"


def test_another_authors_file_is_not_read_along(put):
    """Equal names of arms do not make one study of two."""
    _, other = put(dehaan2020_table3=TABLE_3, lee2021_runs=RUNS)

    assert len(audit([other]).sources) == 1


def test_one_common_arm_is_not_enough(put):
    """'no debias' is in every study."""
    _, other = put(some=TABLE_3, baseline="arm,alpha,recall,variance\nno_debias,,90,3\n")

    assert len(audit([other]).sources) == 1


def test_a_malformed_file_beside_is_left_out_and_said(put):
    """Nobody asked for it."""
    path, _ = put(a=TABLE_3, b=COUNTS + "a,,1,x,3,4\n")

    assert audit([path]).sources[1:] == (
        "b.csv: in the same folder, left out: column 'detected': 4 is more than n = 3.",
    )


def test_a_folder_is_all_its_files(put, tmp_path):
    """Each study is compared with its own."""
    put(**PUBLISHED, notes="name,value\nx,1\n", latin=b"\xe9")
    found = audit([tmp_path])

    assert len(found.sources) == 6
    assert (
        "notes.csv: left out, column 'value' holds numbers, and its name does not say of what."
        in found.sources
    )
    assert (
        "latin.csv: left out, is not UTF-8: save it as CSV in UTF-8 (in Excel: 'CSV UTF-8')."
        in found.sources
    )


def test_a_folder_without_a_known_file_is_refused(put, tmp_path):
    """Every stranger is named."""
    put(a="x,y\n1,2\n", b="")

    with pytest.raises(
        DataError, match=r"a\.csv:1: columns 'x' and 'y' hold(.|\n)*b\.csv: is empty"
    ):
        audit([tmp_path])


def test_an_empty_folder_is_refused(tmp_path):
    """It may be the wrong one."""
    with pytest.raises(DataError, match="holds no CSV file"):
        audit([tmp_path])


def test_a_file_named_twice_is_read_once(put, tmp_path):
    """As itself and in its folder."""
    (path,) = put(runs=SMALL)

    assert len(audit([path, tmp_path, path]).outcomes) == 1


def test_options_hold_for_the_named_file_only(put):
    """A file beside it in percent is no file of fractions."""
    groups = "arm,seed,dark,light\nerm,1,0.957,0.890\ngdro,1,0.930,0.941\n"
    table = "arm,recall,variance\nerm,92.35,11.22\ngdro,93.55,0.30\n"
    path, _ = put(lab2020_groups=groups, lab2020_table=table)
    found = audit([path], said=Description(unit="fraction"))

    assert only(found, "Definition of the mean").result == "fits"


def test_an_option_that_no_named_file_can_have_is_refused(put):
    """Shares above 1 are no fractions."""
    with pytest.raises(DataError, match="all shares are above 1, so they are no fractions"):
        audit(put(x=TABLE_3), said=Description(unit="fraction"))


def test_a_seed_and_a_setting_change_no_finding(put):
    """They were taken for groups once, and true means were contradicted."""
    table = "arm,recall,variance\nerm,94.55,32.84\ndbvae,95.98,17.51\n"
    header, *rows = [
        "arm,dark,light,old,young",
        "erm,84.9,95.6,98.4,99.3",
        "dbvae,89.3,95.6,99.0,100.0",
    ]
    plain = "\n".join([header, *rows]) + "\n"
    more = "\n".join([f"{header},seed,batch_size", *(f"{row},42,64" for row in rows)]) + "\n"

    paths = put(lab2020_table=table, lab2020_groups=plain)
    expected = audit(paths).findings
    paths = put(lab2020_table=table, lab2020_groups=more)
    assert audit(paths).findings == expected


# Failed runs


FAILED = COUNTS + "".join(
    f"{arm},,{run},{group},{n},{k}\n"
    for arm, runs in (("erm", ((270, 380), (273, 375), ("nan", ""))), ("gdro", ((284, 382),) * 2))
    for run, counts in enumerate(runs)
    for (group, n), k in zip((("dark", 318), ("light", 386)), counts, strict=True)
)


def test_a_failed_run_stays_in_the_denominator(put):
    """As in a study of our own."""
    first, second = audit(put(runs=FAILED)).outcomes[0].arms

    assert (first.wanted, first.runs, first.failed, first.failed_seeds) == (
        3,
        2,
        ("no number in the file",),
        (2,),
    )
    assert (second.wanted, second.runs, second.failed) == (2, 2, ())


def test_failed_runs_are_a_finding(put):
    """Which, where, and what would settle it."""
    finding = only(audit(put(runs=FAILED)), "Failed runs")

    assert (finding.result, finding.text) == (
        "cannot tell",
        "2 of 3 runs of erm have numbers (without: run 2 in line 6). Means are over the runs with "
        "numbers.",
    )
    assert finding.settle == "the numbers of these runs, or why they have none"


def test_runs_that_were_made_but_are_not_in_the_file_count(put):
    """If their number is said."""
    found = audit(put(runs=SMALL), said=Description(replicates=3))

    assert [arm.wanted for arm in found.outcomes[0].arms] == [3, 3]
    assert only(found, "Failed runs").text.startswith(
        "2 of 3 runs of a have numbers (without: 1 not in the file); "
        "1 of 3 runs of b, alpha = 0.1 have numbers (without: 2 not in the file)."
    )


def test_complete_runs_are_no_finding(put):
    """Nothing is missing."""
    assert "Failed runs" not in dict(checks(audit(put(runs=SMALL))))


def test_an_arm_of_which_every_run_failed_is_kept(put):
    """It has no numbers, and stands in the table all the same."""
    text = FAILED.replace("273,", "nan,").replace(",270", ",").replace(",380", ",nan")
    text = text.replace(",273", ",").replace(",375", ",-")
    first, second = audit(put(runs=text)).outcomes[0].arms

    assert (first.name, first.runs, first.wanted) == ("erm", 0, 3)
    assert second.runs == 2


def test_runs_without_sizes_of_groups_have_no_tables(put):
    """Sizes make them."""
    text = "arm,run,dark,light\na,1,90.1,95.2\na,2,91.2,94.1\n"
    (path,) = put(x=text)

    assert audit([path]).outcomes == ()
    (outcomes,) = audit([path], said=Description(groups={"dark": 318, "light": 386})).outcomes
    assert outcomes.arms[0].sizes.tolist() == [318, 386]


def test_error_rates_become_recalls(put):
    """Of the tables and of the definitions."""
    text = "arm,run,dark,light\na,1,10,5\na,2,9,6\n"
    said = Description(measure="error", groups={"dark": 100, "light": 100}, unit="percent")
    (outcomes,) = audit(put(x=text), said=said).outcomes

    assert outcomes.arms[0].recall.tolist() == [[0.9, 0.95], [0.91, 0.94]]


# Findings: the reproduction's Table 3


@pytest.fixture
def table_3(put):
    """Table 3 beside its runs."""
    return audit(put(dehaan2020_table3=TABLE_3, dehaan2020_sum_runs=RUNS))


def test_grim_finds_three_runs_of_the_pilot_parliaments_benchmark(put):
    """From the printed digits alone."""
    assert only(audit(put(x=TABLE_3)), "GRIM") == Finding(
        "GRIM",
        "x.csv",
        "fits",
        "All 5 published recalls are possible for 3 runs of 1,270 portraits (the Pilot Parliaments "
        "Benchmark), pooled; the probability of this for random numbers (for 3 runs or fewer) is "
        "0.91 %. Possible rows of 5 for other numbers of runs: 0 for 1, 0 for 2, 1 for 4, 4 for 5, "
        "4 for 7; all for 6, 8, 9 and 10 runs, with probability 26 %, 100 %, 100 % and 100 % for "
        "random numbers.",
    )


def test_grim_takes_the_portraits_that_it_is_given(put):
    """Of 1,000 portraits, 5 runs give every fiftieth of a percent."""
    text = only(audit(put(x=TABLE_3), images=1000), "GRIM").text

    assert "of 1,000 portraits, pooled" in text


def test_table_3_is_pooled(table_3):
    """Not the mean over groups."""
    assert only(table_3, "Definition of the mean") == Finding(
        "Definition of the mean",
        "dehaan2020_table3.csv and dehaan2020_sum_runs.csv",
        "fits",
        "The published mean is the recall pooled over portraits, in 5 of 5 rows. Rows of the other "
        "definitions: mean over groups 0.",
    )


def test_table_3_has_the_population_variance_of_averaged_groups(table_3):
    """Four rows; the fifth is a misprint."""
    finding = only(table_3, "Definition of the variance")

    assert finding.result == "fits"
    assert finding.text.startswith(
        "The published variance is the population variance (ddof 0) of run-averaged groups, in 4 "
        "of 5 rows. Rows of the other definitions: population variance (ddof 0) of each run, then "
        "averaged 0,"
    )


def test_table_3_has_a_misprint(table_3):
    """22.42 should be 22.43."""
    assert only(table_3, "Misprint in the last digit") == Finding(
        "Misprint in the last digit",
        "dehaan2020_table3.csv and dehaan2020_sum_runs.csv: max, alpha = 0.001",
        "contradicts",
        "Variance published 22.42, computed 22.43: one unit of the last digit, an error of "
        "rounding or copying.",
        "which is right, the published number or the file that it was compared with",
    )
    assert "Contradiction" not in dict(checks(table_3))


def with_worse_runs(text):
    """Two more runs of every arm, each with 20 fewer detections than the first."""
    more = [line.split(",") for line in text.splitlines()[1:] if line.split(",")[3] == "1"]
    return text + "".join(
        ",".join([*row[:3], run, *row[4:6], str(int(row[6]) - 60)]) + "\n"
        for run in ("4", "5")
        for row in more
    )


def test_the_kept_runs_are_found(put):
    """Of five runs, the best three were printed."""
    found = audit(put(table=TABLE_3, runs=with_worse_runs(RUNS)))

    assert only(found, "Definition of the mean").text.startswith(
        "The published mean is the recall pooled over portraits, of the best 3 of 5 runs by pooled "
        "recall, in 5 of 5 rows."
    )
    assert found.outcomes[0].keep == 5


def test_named_kept_runs_are_taken(put):
    """No other number is tried."""
    found = audit(put(table=TABLE_3, runs=with_worse_runs(RUNS)), keep=4)

    finding = only(found, "Definition of the mean")
    assert finding.result == "contradicts"
    assert finding.text.startswith("No definition gives most of the 5 rows (recall pooled over")
    assert "max, alpha = 0.001: published 85.22, computed " in finding.text


def test_the_part_that_was_printed_is_found(put):
    """The other part is named as not printed."""
    other = [line.split(",") for line in RUNS.splitlines()[1:]]
    mean = "".join(",".join(["mean", *row[1:6], str(int(row[6]) - 11)]) + "\n" for row in other)
    found = audit(put(table=TABLE_3, runs=RUNS + mean))

    assert only(found, "Definition of the mean").about == "table.csv and runs.csv (sum)"
    assert only(found, "Source of the published values") == Finding(
        "Source of the published values",
        "table.csv and runs.csv (mean)",
        "contradicts",
        "It has the same arms, but reproduces at most 0 of 10 published values; another file "
        "reproduces more.",
        "which file the published values come from",
    )


def test_rows_without_runs_are_said(put):
    """A table may print more arms than there are files for."""
    text = TABLE_3 + "max,0.0001,80.00,20.00\n"
    finding = only(audit(put(table=text, runs=RUNS)), "Definition of the mean")

    assert "in 5 of 5 rows (1 published row without counterpart)." in finding.text


def test_equal_groups_leave_the_mean_open(put):
    """Pooled or not is the same then."""
    runs = COUNTS + "a,,1,x,4,2\na,,1,y,4,3\nb,0.1,1,x,4,4\nb,0.1,1,y,4,3\n"
    table = "arm,alpha,recall,variance\na,,62.5,156.2\nb,0.1,87.5,156.2\n"

    assert only(audit(put(table=table, runs=runs)), "Definition of the mean").text == (
        "Recall pooled over portraits and mean over groups each give 2 of 2 rows."
    )


def test_rounded_accuracies_may_be_off_by_their_rounding(put):
    """The counts as whole percentages still agree with Table 3, within half a percent."""
    header, *rows = [line.split(",") for line in RUNS.splitlines()]
    text = ",".join([*header[:6], "accuracy_percent"]) + "\n"
    for row in rows:
        text += ",".join([*row[:6], f"{100 * int(row[6]) / int(row[5]):.0f}"]) + "\n"
    found = audit(put(table=TABLE_3, runs=text))

    assert only(found, "Definition of the mean").text == (
        "Recall pooled over portraits and mean over groups each give 5 of 5 rows."
    )


# Findings: the original's Table 1 and its figure


@pytest.fixture
def table_1(put):
    """Table 1 beside Fig. 5B."""
    return audit(put(amini2019_table1=TABLE_1, amini2019_fig5b=FIGURE_5B))


def test_table_1_is_the_mean_over_groups(table_1):
    """In four rows; the sizes of the groups are said."""
    finding = only(table_1, "Definition of the mean")

    assert (finding.result, finding.text) == (
        "fits",
        "The published mean is the mean over groups, in 4 of 5 rows (groups of 318, 271, 386 and "
        "295 portraits as in the Pilot Parliaments Benchmark). Rows of the other definitions: "
        "recall pooled over portraits 0.",
    )


def test_table_1_has_the_sample_variance(table_1):
    """In the same four rows."""
    finding = only(table_1, "Definition of the variance")

    assert (finding.result, finding.text) == (
        "fits",
        "The published variance is the sample variance (ddof 1) of run-averaged groups, in 4 of 5 "
        "rows. Rows of the other definitions: population variance (ddof 0) of run-averaged groups "
        "0.",
    )


def test_the_last_row_of_table_1_contradicts_its_figure(table_1):
    """By more than the figure can be misread."""
    assert only(table_1, "Contradiction") == Finding(
        "Contradiction",
        "amini2019_table1.csv and amini2019_fig5b.csv: product, alpha = 0.001",
        "contradicts",
        "Recall published 97.36, computed 97.14 ± 0.03; variance published 9.43, computed 11.13 ± "
        "0.19.",
        "which is right, the published number or the file that it was compared with",
    )


def test_a_careless_reading_of_the_figure_excuses_the_last_row(put):
    """With half a percent point of error nothing is contradicted."""
    found = audit(put(table=TABLE_1, figure=FIGURE_5B), reading_error=0.5)

    assert "Contradiction" not in dict(checks(found))


def test_grim_cannot_tell_of_means_over_groups(table_1):
    """And says what came out all the same."""
    finding = only(table_1, "GRIM", "table1")

    assert finding.result == "cannot tell"
    assert (
        "0 for 1, 2 for 2, 0 for 3, 2 for 4, 4 for 5; all for 6, 7, 8, 9 and 10 runs"
        in finding.text
    )
    assert finding.text.endswith("GRIM does not test means over groups, which these are.")


def test_overall_of_the_figure_is_pooled(table_1):
    """Another statistic than the table's mean."""
    assert only(table_1, "Overall") == Finding(
        "Overall",
        "amini2019_fig5b.csv",
        "fits",
        "The overall value is pooled over portraits in 5 of 5 rows; the mean over groups in 0. "
        "Groups of 318, 271, 386 and 295 portraits as in the Pilot Parliaments Benchmark.",
    )


def test_overall_of_unknown_groups_is_their_mean_or_open(put):
    """Without sizes there is nothing to pool with."""
    texts = ["arm,acc_male,acc_female,overall\na,90,80,85\nb,90,70,80\n"]
    texts.append(texts[0].replace(",80\n", ",72\n").replace(",85\n", ",82\n"))
    mean, other = (only(audit(put(x=text)), "Overall") for text in texts)

    assert (mean.result, mean.text) == (
        "fits",
        "The overall value is the mean over groups in 2 of 2 rows.",
    )
    assert (other.result, other.settle) == (
        "cannot tell",
        "what the overall value is of; the portraits of each group: --group NAME=N",
    )


# Findings: digits


def test_equal_decimals_are_noted(put):
    """Table 3 has two everywhere."""
    assert only(audit(put(x=TABLE_3)), "Decimals").text == (
        "Decimals throughout: overall values 2, variances 2."
    )


def test_a_dropped_zero_is_noted(put):
    """46.2 among 36.39 and others."""
    finding = only(audit(put(x=TABLE_3.replace("46.20", "46.2"))), "Decimals")

    assert (finding.result, finding.text) == (
        "cannot tell",
        "Published with fewer decimals than the rest: variance 46.2 of no debias. They are taken "
        "as rounded to these decimals; perhaps a trailing zero was dropped.",
    )


def test_arms_without_smoothings_have_no_trend(put):
    """Two architectures are in no order."""
    text = "arm,recall,variance\na,90,9\nb,91,8\nc,92,7\n"

    assert "Trend" not in dict(checks(audit(put(x=text))))


def test_an_audit_is_the_same_every_time(put):
    """Arrays compare by their bytes."""
    paths = put(**PUBLISHED)
    one, two = audit(paths), audit(paths)

    assert (one.findings, one.sources) == (two.findings, two.sources)
    np.testing.assert_array_equal(one.outcomes[0].arms[0].recall, two.outcomes[0].arms[0].recall)


def test_a_relative_name_in_a_deleted_folder_is_told(tmp_path, monkeypatch):
    """It leads nowhere, and cannot be made absolute."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    with pytest.raises(DataError, match=r"^numbers\.csv: cannot be read"):
        audit([Path("numbers.csv")])
