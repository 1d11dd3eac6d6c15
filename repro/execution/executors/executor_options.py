"""Where runs execute, as a user says it. Nothing is imported: --help loads this."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

ExecutorName = Literal["local", "inline", "ray"]
Kernels = Literal["blocked", "torch"]
MOST_WORKERS = 10_000  # at a time; a larger number is a slip
MOST_STACKED = 1000  # networks in a stack; same as `stack_names.MOST`


class Asked(NamedTuple):
    """How the user wants runs to be computed; None where that is left to the program.

    Attributes:
        kernels: What computes networks on a processor.
        stack: Runs that are trained as one network; 1: each singly.
    """

    kernels: Kernels | None = None
    stack: int | None = None


NOTHING = Asked()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the options of a command say.

    Attributes:
        executor: Child processes here, this very process, or a Ray cluster.
        device: As torch names it, or several of them.
        workers: Runs at a time at most; None is as many as fit.
        address: Of a Ray cluster; None is one of our own on this machine.
        kernels: What computes networks on a processor; None: what REPRO_KERNELS says, or blocked
            ones where they can be had.
        stack: Runs of one shape that are trained as one network; None or 1: each singly.
        stall_minutes: Time after which a worker that does nothing is ended; only processes here.
        taken: What a run takes, as far as it is said here and not in the study; see `Resources`.
    """

    executor: ExecutorName = "local"
    device: str = "cpu"
    workers: int | None = None
    address: str | None = None
    kernels: Kernels | None = None
    stack: int | None = None
    stall_minutes: float = 10.0
    taken: Mapping[str, float] = field(default_factory=dict)

    @property
    def asked(self) -> Asked:
        """How runs are to be computed, as far as the user says it."""
        return Asked(self.kernels, self.stack)

    @property
    def stacked(self) -> int | None:
        """The number of networks in a stack; None if each run is trained singly."""
        return None if self.stack == 1 else self.stack
