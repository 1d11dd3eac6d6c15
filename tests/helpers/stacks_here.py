"""Stacks in this process, and training that takes no time."""

import contextlib
from unittest import mock

from faults import studies

from repro.execution.executors import process_pool, stacks
from repro.records import records
from repro.training import stacked_runs


class Here:
    """In the place of a worker: it executes the runs in this process as soon as it has them."""

    def __init__(self, prepare, device, *, stall):
        """It has no runs."""
        self.device, self.tasks, self.connection, self._says = device, [], None, []
        self._execute = stacks._prepare()

    def send(self, request):
        """All that happens to the runs."""
        if request is not None:
            self._says.append(self._execute(request, self._says.append))

    def heard(self):
        """The next event, and whether it is the last."""
        event = self._says.pop(0)
        return event, not self._says

    def is_stalled(self):
        """It works."""
        return False

    def stop(self):
        """Nothing has to end."""

    join = stop


def _canned(tasks, materials, begun, size):
    """As `studies.canned_training`, run by run."""
    assert len(tasks) <= size
    for task, material, files in zip(tasks, materials, begun, strict=True):
        yield from studies.canned_training(task, material, files)


@contextlib.contextmanager
def canned():
    """Within, `Stacks` execute here, and no training takes time."""
    with (
        studies.canned(),
        mock.patch.object(stacked_runs, "_train_and_evaluate", _canned),
        mock.patch.object(process_pool, "Worker", Here),
        mock.patch.object(process_pool, "wait", lambda connections, timeout: connections),
    ):
        yield


def kernels(results):
    """What computed the runs of a folder, each once."""
    found = (records.read_record(key, results) for key in studies.identities(results))
    return {record.computation["kernels"] for record in found}
