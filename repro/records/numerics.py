"""The number that stands for this program's code in the name of a run.

A run's name holds its choices, its seed, its data and how it was computed. Of our own code it holds
`NUMERICS` alone, so that a module can be renamed or rewritten, and nobody trains again what would
come out the same. Releases before it named runs by digests of their source: `earlier_code.json` has
those digests, and `aliases` the names that such a release gave to the same run.
"""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

NUMERICS = 1
"""Raised with every change of the code after which a run has other bits on the same machine.

`repro verify` of records made before shows whether it has. The changelog says so, and the stored
values of tests/training/test_numerics.py are made again.
"""
TABLE = Path(__file__).with_name("earlier_code.json")


class EarlierCode(NamedTuple):
    """The code of a commit whose runs were named by digests of their source.

    Attributes:
        commit: In the history of this program.
        numerics: The value of `NUMERICS` whose bits it computes.
        code: Twelve hex digits for each of its modules that compute.
    """

    commit: str
    numerics: int
    code: Mapping[str, str]


@functools.cache
def earlier_code() -> tuple[EarlierCode, ...]:
    """Every commit that is known, the oldest first."""
    return tuple(EarlierCode(**one) for one in json.loads(TABLE.read_text(encoding="utf-8")))


def numerics_of(computation: Mapping[str, Any]) -> int | None:
    """The numerics that a record was computed with; None where they are not known.

    Args:
        computation: Of the record, as plain values; empty in records of schema 1.
    """
    if "numerics" in computation:
        return int(computation["numerics"])
    same = (one.numerics for one in earlier_code() if one.code == computation.get("code"))
    return next(same, None)
