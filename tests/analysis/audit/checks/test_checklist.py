"""All checks of one table."""

from published_tables import table

from repro.analysis.audit.checks.checklist import Checks


def checked(rows, **description):
    """The checks and results of a table."""
    made = table(rows, **description)
    checks = Checks([], tables=[made], images=None, keep=None, reading_error=0.03)
    return [(one.check, one.result) for one in checks.findings()]


def test_of_wrong_units_no_other_check_speaks():
    """GRIM and variances of fractions among percents would say the same in other words."""
    printed = [("0.8808", "0.9041"), ("90.25", "91.14"), ("91.19", "92.25")]
    rows = [(arm, {"x": x, "y": y}) for arm, (x, y) in zip("abc", printed, strict=True)]

    assert checked(rows, replicates=1) == [("Units", "contradicts"), ("Units", "cannot tell")]
