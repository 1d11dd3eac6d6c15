"""Resources of a run that must be known in advance."""

from typing import Annotated

from pydantic import Field

from repro.study.section import Section

Amount = Annotated[float, Field(gt=0, le=1024)]


class Resources(Section):
    """Resources of one run. Results do not depend on them.

    A run uses one thread, so reserving more than one core has no benefit.
    """

    cpus: Amount = 1.0  # cores
    gpus: Annotated[float, Field(gt=0, le=1)] = 0.25  # fraction of a GPU, if runs train on GPUs
    memory: Amount = 1.0  # GB in addition to the data, for schedulers; see benchmarks/README.md


PLAIN = Resources()  # default
