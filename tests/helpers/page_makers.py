"""What makes pages in a child process, in tests: stand-ins. The child imports this module."""

import os
import time

from repro.errors import ReproError
from repro.reporting.site.maker import Made


def quickly():
    """A line for every wish."""
    return lambda wish, _: Made(content=f"<p>{wish.kind} of {wish.name}</p>", files={"a.csv": b"1"})


def slowly():
    """Says what it does, and goes no further."""

    def answer(wish, say):
        say("the records are read")
        if wish.kind == "page":
            time.sleep(3600)
        return Made(content="summary")

    return answer


def wrongly():
    """Every kind of failure, by the name of the study; ``fine`` is none."""

    def answer(wish, _):
        if wish.name == "damaged":
            raise ReproError("record.json: damaged")
        if wish.name == "defect":
            raise KeyError("nobody expected this")
        if wish.name == "deadly":
            os._exit(9)
        return Made(content="fine")

    return answer


def never():
    """Cannot even begin."""
    raise ReproError("nothing to draw with")
