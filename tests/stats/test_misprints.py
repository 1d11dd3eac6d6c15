"""Exchanged digits."""

import pytest
from published_tables import printed

from repro.stats.misprints import exchanges


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("91.27", ["19.27", "92.17", "91.72"]),
        ("88.10", ["81.80", "88.01"]),
        ("50.3", ["53.0"]),
        ("0.7", ["7.0"]),
        ("5", []),
    ],
)
def test_neighbouring_digits_are_exchanged(text, others):
    """Across the point, too; equal digits and numbers that begin with 0 are left out."""
    assert [str(one) for one in exchanges(printed(text))] == others
