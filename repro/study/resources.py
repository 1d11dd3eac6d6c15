"""What a run takes of a machine, as far as somebody has to know it in advance."""

from typing import Annotated

from pydantic import Field

from repro.study.section import Section

Amount = Annotated[float, Field(gt=0, le=1024)]


class Resources(Section):
    """What one run takes. Numbers of a result never hang on it.

    A run uses one thread, so that more than one core for it only keeps others away.
    """

    cpus: Amount = 1.0  # cores
    gpus: Annotated[float, Field(gt=0, le=1)] = 0.25  # of one, where runs train on GPUs
    memory: Amount = 1.0  # GB beside the data, for schedulers; see benchmarks/README.md


PLAIN = Resources()  # where nobody says otherwise
