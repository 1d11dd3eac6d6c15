"""A cache of results computed from an object, freed with the object.

`functools.lru_cache` would keep every arm, with all its scores, until the program ends; here each
arm holds its own results.
"""

import functools
import weakref
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar


class Owner(Protocol):
    """An object with a place for results, by function and arguments."""

    @property
    def cache(self) -> dict[Hashable, Any]:
        """The cached results; empty in a new object."""


One = TypeVar("One", bound=Owner)
Others = ParamSpec("Others")
Found = TypeVar("Found")
Function = Callable[Concatenate[One, Others], Found]


def cached_by_owner(
    *, most: int | None = None
) -> Callable[[Function[One, Others, Found]], Function[One, Others, Found]]:
    """Compute a function of hashable arguments once; the first argument holds the result.

    Args:
        most: Number of newest results to hold, over all first arguments; None holds all.
    """

    def decorate(function: Function[One, Others, Found]) -> Function[One, Others, Found]:
        added: deque[tuple[weakref.ref[One], Hashable]] = deque()

        @functools.wraps(function)
        def once(owner: One, /, *others: Others.args, **named: Others.kwargs) -> Found:
            key = (function.__qualname__, *others, *named.items())
            if key not in owner.cache:
                owner.cache[key] = function(owner, *others, **named)
                if most is not None:
                    added.append((weakref.ref(owner), key))
                    if len(added) > most:
                        _forget(*added.popleft())
            found: Found = owner.cache[key]
            return found

        return once

    return decorate


def _forget(reference: "weakref.ref[Any]", key: Hashable) -> None:
    owner = reference()
    if owner is not None:
        owner.cache.pop(key, None)
