"""The time that a run takes, for its provenance."""

import time
from datetime import UTC, datetime
from typing import Any


class Clock:
    """Measures the time of a run, with the time before an interruption."""

    def __init__(self, images_per_epoch: int) -> None:
        """Start."""
        self.images, self.epochs, self.before = images_per_epoch, 0, 0.0
        self.started, self.begin = datetime.now(UTC), time.perf_counter()
        self.trained = self.begin  # end of the last epoch
        self.shared, self.training = 0, 0.0  # epochs of another run; seconds of those of this one
        self.resumed_after: int | None = None  # epochs before an interruption

    def resume(self, epochs: int, seconds: float) -> None:
        """Add what was trained before an interruption: epochs, and the seconds that they took."""
        self.resumed_after, self.before = epochs, seconds

    def epoch(self) -> float:
        """Note the end of an epoch; return its training images per second."""
        before = self.trained
        self.idle()
        self.epochs += 1
        self.training += self.trained - before
        return self.images / (self.trained - before)

    def idle(self) -> None:
        """Note the end of an epoch in which the run was not trained."""
        self.trained = time.perf_counter()

    def shared_epoch(self, seconds: float) -> float:
        """As `epoch`, of one that was taken over: the rate is that of the run that trained it.

        Args:
            seconds: That its training took.
        """
        self.idle()
        self.shared += 1
        return self.images / seconds

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return self.before + time.perf_counter() - self.begin

    def times(self) -> dict[str, Any]:
        """For the provenance; the rate is over the epochs that were trained here."""
        times = {
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 3),
        }
        if self.epochs:
            times["images_per_second"] = round(self.epochs * self.images / self.training, 1)
        if self.shared:
            times["shared_epochs"] = self.shared
        if self.resumed_after is not None:
            times["went_on_after_epoch"] = self.resumed_after
        return times
