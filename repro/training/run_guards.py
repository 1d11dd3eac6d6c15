"""What is checked of a run before and after it, and which of its errors are lack of memory."""

import contextlib
import errno
from collections.abc import Callable, Iterator

import torch

from repro.data.pictures import content_digest
from repro.data.pictures.images import Material
from repro.errors import ReproError
from repro.records import code_digests
from repro.records.events import RunStarted
from repro.records.task import Task
from repro.training import networks
from repro.training.kernels import c_library, devices

SHORTAGE = (  # in the text of torch's and Python's errors
    *("can't allocate memory", "cannot allocate memory", "out of memory", "bad_alloc"),
    *("can't start new thread", "could not create a primitive", "resource temporarily unavail"),
)


@contextlib.contextmanager
def memory_errors() -> Iterator[None]:
    """Convert every error that says that memory, or another means of the system, is at an end."""
    try:
        yield
    except (RuntimeError, OSError) as error:
        if _is_shortage(error):
            raise MemoryError(str(error)) from None
        raise


def _is_shortage(error: RuntimeError | OSError) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOMEM, errno.EAGAIN)
    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or any(word in text for word in SHORTAGE)


def started(task: Task) -> RunStarted:
    """The first event of a run that can be executed here.

    Raises:
        ReproError: There is no such device, or this program differs from that of the study.
    """
    devices.require(task.device)
    _require_same_program(task)
    model = networks.build(task.configuration, task.seed, task.catalogue())
    size = sum(tensor.nbytes for tensor in model.state_dict().values())
    return RunStarted(task.key, task.title, task.configuration.epochs, size)


def _require_same_program(task: Task) -> None:
    """Refuse a run whose record would name code, libraries or kernels that were not used."""
    wanted = task.computation
    if wanted.code != code_digests.code() or wanted.libraries != code_digests.libraries():
        raise ReproError(
            "the program was changed while its study ran, or differs where this run is; run the "
            "same command again: `repro plan` says what is trained again"
        )
    if why := c_library.cannot(wanted.kernels, task.configuration.precision):
        raise ReproError(
            "the study computes with blocked kernels, and a machine that runs it cannot "
            f"({why}): mend that, or pass --kernels torch for all of them"
        )


def planned(task: Task, load: Callable[[], Material]) -> Material:
    """The data of a run, as they were when it was planned.

    Raises:
        DataError: They are others now, or cannot be read.
    """
    material = load()
    content_digest.require_planned(task.data, task.contents, material.contents)
    content_digest.require_unchanged(material.contents)
    return material
