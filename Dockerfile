# The program with the versions behind the published figures, for processors.
#   docker build -t repro .
#   docker run --rm repro                                              # repro --help
#   docker run --rm -v "$PWD:/work:ro" repro table study.zip --format markdown
#   docker run --rm -v "$PWD:/work" repro run alpha_sweep              # needs a folder to write to
FROM python:3.11.14-slim-bookworm

# A C compiler makes training faster (docs/performance.md); the system decides on its release.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*

# torch for processors, without the packages of CUDA, which take several GB.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /opt/repro
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY repro repro
COPY studies studies
RUN python -m pip install --no-cache-dir --extra-index-url "$TORCH_INDEX" -c constraints.txt . \
    && repro --help > /dev/null

RUN useradd --create-home --uid 1000 repro
USER 1000
ENV OMP_NUM_THREADS=1
WORKDIR /work
ENTRYPOINT ["repro"]
CMD ["--help"]
