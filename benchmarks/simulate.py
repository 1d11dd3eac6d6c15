"""Simulates studies and prints what the documentation says of them: `make simulations`.

    python benchmarks/simulate.py                  all, at most two hours on two cores
    python benchmarks/simulate.py power            only this one
    python benchmarks/simulate.py --studies 400    tries it out: stores and prints nothing
    python benchmarks/simulate.py --print          prints what is stored, after a change of the text

What has been simulated is kept in build/simulations/: after Ctrl-C, or a power loss, the same
command goes on from there.
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from simulations import document, stored_results
from simulations.promises import broken
from simulations.registry import SIMULATIONS
from simulations.running import run
from simulations.simulation import CHUNK, STUDIES, Simulation, averaged

KEPT = Path(__file__).parents[1] / "build" / "simulations"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named simulations, or all; 1 if a promise is broken, 130 after Ctrl-C."""
    names = [one.name for one in SIMULATIONS]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="|".join(names), help="default: all")
    parser.add_argument("--studies", type=int, default=STUDIES, help="of each cell")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--kept", type=Path, default=KEPT, help="folder of unfinished ones")
    parser.add_argument("--print", action="store_true", help="only print what is stored")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.names if name not in names]:
        parser.error(f"there is no simulation {unknown[0]}")
    if given.studies < 1 or given.studies % CHUNK:
        parser.error(f"--studies must be a multiple of {CHUNK}, not {given.studies}")
    if given.print:
        document.update(SIMULATIONS)
        return 0
    try:
        kept = [_one(one, given) for one in SIMULATIONS if one.name in (given.names or names)]
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    return 0 if all(kept) else 1


def _one(simulation: Simulation, given: argparse.Namespace) -> bool:
    """Whether all promises of a simulation hold."""
    began = time.perf_counter()
    found = run(
        simulation,
        given.studies,
        given.kept / simulation.name,
        processes=given.processes,
        report=lambda line: print(line, file=sys.stderr, flush=True),
    )
    if given.studies == STUDIES:
        stored_results.write(simulation, found)
        document.update(SIMULATIONS)
    told = broken(simulation, {cell: averaged(columns) for cell, columns in found.items()})
    print("\n".join([f"{simulation.name}: {time.perf_counter() - began:.0f} s", *told]))
    return not told


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    sys.exit(main())
