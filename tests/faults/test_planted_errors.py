"""Tables with a planted error are found out, honest ones are not accused.

``make faults`` audits 300 tables of each kind, as ``benchmarks/audit_rates.py`` does.
"""

import pytest
from printed_tables.errors import KINDS
from printed_tables.rates import ACCUSED, FOUND, HONEST, Rate, rate

TABLES = 300
LEAST = 0.8  # of a few tables; 95 % of all


@pytest.mark.parametrize("kind", KINDS)
def test_planted_errors_are_found_and_named(kind, amount, tally):
    """Of the detectable ones."""
    found = rate(kind, range(amount(5, TABLES)))
    tally.faults += found.detectable

    assert found.detectable >= found.tables / 2
    assert found.named >= amount(LEAST, FOUND) * found.detectable, found.missed


def test_honest_tables_are_not_accused(amount):
    """Nor refused."""
    found = rate(HONEST, range(amount(40, TABLES)))

    assert found.found <= ACCUSED * found.tables, found.missed


@pytest.mark.parametrize(
    ("rate", "holds"),
    [
        (Rate(HONEST, tables=300, found=6), True),
        (Rate(HONEST, tables=300, found=7), False),
        (Rate("wrong n", tables=300, detectable=200, found=200, named=190), True),
        (Rate("wrong n", tables=300, detectable=200, found=200, named=189), False),
    ],
)
def test_a_rate_holds_up_to_its_limit(rate, holds):
    """95 % of the detectable ones, 2 % of the honest ones."""
    assert rate.holds is holds
