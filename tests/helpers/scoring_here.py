"""A detector is scored in this process, so that many can be tried in a second."""

from unittest import mock

from repro.detectors import worker
from repro.execution import detector_scoring


def here():
    """Within, no child process is started."""
    return mock.patch.object(detector_scoring, "_found", _found)


def _found(request, _):
    return worker.prepare()(request, lambda told: None)
