"""Training of the papers' size on one GPU: images per second, and the whole study's time from it.

Random bytes of the right shape (87,931 images), whole resampled epochs, batch 24 (the
reproduction's), 256 and 1,024, several runs side by side, each in its own process.

    python benchmarks/gpu.py                                        on cuda:0
    python benchmarks/gpu.py --device cpu --images 96 --batch 24    tries out the script itself
"""

import argparse
import statistics
from collections.abc import Sequence

import contenders

RUNS, EPOCHS, IMAGES = 30, 60, 87_931  # the papers' study: six arms of five runs


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line per batch size, precision and number of runs at once."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--at-once", type=int, nargs="*", default=[1, 4])
    parser.add_argument("--batch", type=int, nargs="*", default=[24, 256, 1024])
    given = parser.parse_args(arguments)
    if given.images < max(given.batch):
        parser.error(f"--images {given.images}: fewer than a batch of {max(given.batch)}")
    for size in given.batch:
        for precision in ("fp32", "bf16"):
            for times in given.at_once:
                changes = {"decoder_input": "all", "precision": precision}
                work = (size, given.images, changes, given.device)
                contender = contenders.Contender(contenders.our_epoch, *work, times=times)
                rate = statistics.median(contender() for _ in range(3))
                contender.close()
                minutes = RUNS * EPOCHS * IMAGES / rate / 60
                print(
                    f"batch {size:5}, {precision}, {times} at once: {rate:10,.0f} images/s; "
                    f"{RUNS} runs of {EPOCHS} epochs in {minutes:,.1f} min",
                    flush=True,
                )


if __name__ == "__main__":
    main()
