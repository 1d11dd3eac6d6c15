#!/usr/bin/env bash
# Checks and measures this program on a GPU; see gpu.py for the options. Needs no installation of
# this program and no MLflow, only the Python that `python3` or $PYTHON is.
set -eu
home=$(cd "$(dirname "$0")/.." && pwd)
cd "$home"
export PYTHONPATH="$home:$home/benchmarks:$home/tests/helpers${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 CUBLAS_WORKSPACE_CONFIG=:4096:8
exec "${PYTHON:-python3}" benchmarks/gpu.py --out "${OUT:-results/gpu}" "$@"
