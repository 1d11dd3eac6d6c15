"""The kernels of runs that were trained as one network, as their records name them.

Torch chooses the algorithm of a product by the number of networks, so that the bits of a run depend
on that number. It is therefore part of the name, and so of the names of runs.
"""

PREFIX = "stacked-"
FEWEST, MOST = 2, 1000  # networks of a stack; one alone is no stack


def kernels(count: int) -> str:
    """The name of a stack of so many networks: ``stacked-25``."""
    return f"{PREFIX}{count}"


def count(kernels: str) -> int | None:
    """The number of networks of a stack by its name; None for all other kernels.

    Raises:
        ValueError: It begins like such a name, and has no number or one out of range.
    """
    if not kernels.startswith(PREFIX):
        return None
    digits = kernels.removeprefix(PREFIX)
    found = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 5 else 0
    if str(found) != digits or not FEWEST <= found <= MOST:
        raise ValueError(f"{kernels}: a stack has {FEWEST} to {MOST:,} networks")
    return found
