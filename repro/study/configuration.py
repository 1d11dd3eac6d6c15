"""One arm of a study: all settings of a run except its seed.

Settings on which the literature differs have no default here: a configuration starts from a preset,
which is a published combination of settings, and overrides some of them.
Two runs are replicates of each other exactly when their configurations and data are equal.
The letters in brackets are the literature's: ORIG is Amini & Soleimany et al. (2019), DH is the
reproduction by de Haan et al. (2020), MIT the 6.S191 lab, JM another reproduction.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from repro.study.data_spec import Data
from repro.study.section import NonNegative, Positive, Section, Share


class Classification(Section):
    """Binary cross-entropy from logits, on every image."""

    weight: NonNegative  # c1 of ORIG equation 2


class Kl(Section):
    """KL divergence from the posterior to the prior, summed over latents, faces only."""

    weight: NonNegative  # c3 of ORIG equation 2; DH 1, MIT 0.0005


class Reconstruction(Section):
    """Error between a face and its decoding."""

    norm: Literal["l1", "l2"]  # l2 is the squared error (ORIG, DH); l1 is MIT's from 2020 on
    reduction: Literal["sum", "mean"]  # over the pixels of one image; DH compares the two
    weight: NonNegative  # c2 of ORIG equation 2


class Resampling(Section):
    """How faces are sampled given the latent density (ORIG equations 3 and 4)."""

    combine: Literal["none", "max", "product", "top5"]  # ORIG product, MIT and DH max, JM top5
    arithmetic: Literal["log", "float32"]  # of the product; DH found it to underflow
    density: Literal["mass", "density"]  # bins sum to 1 (DH) or integrate to 1 (MIT, JM)
    alpha: NonNegative  # added to each bin before inverting; 0 debiases most
    bins: Annotated[int, Field(ge=1, le=255)]  # per latent, equal widths over its range
    latents: Literal["mean", "sample"]  # MIT, DH means; ORIG samples
    pixels: Literal["unit", "raw"]  # that latents are computed from; raw, 0 to 255, is a defect
    channels: Literal["trained", "reversed"]  # likewise; reversed, BGR for RGB, is MIT's defect
    first_epoch: Literal["uniform", "resampled"]  # DH uniform; ORIG, MIT resampled
    replacement: Literal["with", "without"]  # within a batch; DH, JM with; MIT without
    balance: Literal["expected", "exact"]  # half faces on average (DH) or in every batch (MIT, JM)
    uniform_epochs: Literal["shuffle", "draw"]  # each image once (DH), or drawn with equal weights


class Windows(Section):
    """Sliding windows over a photograph (MIT 2019, DH)."""

    sizes: Annotated[int, Field(ge=1, le=100)]  # equally spaced from `smallest` to the whole width
    smallest: Annotated[float, Field(gt=0, le=1)]  # share of the photograph's width
    stride: Annotated[float, Field(gt=0, le=1)]  # share of the window's size
    resize: Literal["nearest", "bilinear"]  # to 64 x 64


# Values that earlier releases used without a setting.
_BEFORE: dict[str, Any] = {
    "architecture": "dehaan2020",
    "latent_noise": "std",
    "batch_norm": "batch",
    "indicator": "faces",
    "resampling": {"pixels": "unit", "channels": "trained"},
}
# Settings that do not apply to a classifier.
ONLY_WITH_LATENTS = (
    *("latent_dim", "decoder_input", "latent_noise", "indicator", "kl", "reconstruction"),
)
Architecture = Literal["dehaan2020", "mit2019", "mit2020", "mit2024", "fijen2020"]


class Configuration(Section):
    """One arm of a study. See `presets.PRESETS` for complete examples."""

    model: Literal["dbvae", "classifier"]  # the DB-VAE, or its encoder as a plain classifier
    architecture: Architecture  # whose network
    latent_dim: Annotated[int, Field(ge=1, le=10_000)]
    decoder_input: Literal["all", "faces"]  # DH, MIT all; JM faces; BatchNorm sees the difference
    latent_noise: Literal["std", "variance"]  # times epsilon; variance, exp(logvar), is a defect
    batch_norm: Literal["batch", "stored"]  # statistics in training; stored ones are never updated
    indicator: Literal["faces", "swapped"]  # terms of faces only; swapped is a defect of MIT's
    classification: Classification
    kl: Kl
    reconstruction: Reconstruction
    resampling: Resampling
    learning_rate: Positive  # of Adam, other settings torch's
    batch_size: Annotated[int, Field(ge=2, le=1_000_000)]  # the last, incomplete batch is left out
    epochs: Annotated[int, Field(ge=1, le=1_000_000)]
    checkpoint: Literal["last", "best_val_accuracy"]  # DH the best, ties to the latest
    validation_share: Share  # of each class
    precision: Literal["fp32", "bf16"]  # of training's arithmetic; all sources fp32
    windows: Windows
    data: Data

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.model == "classifier" and self.resampling.combine != "none":
            raise ValueError(
                "the classifier has no latents to resample by: set resampling.combine to 'none'"
            )
        return self

    @property
    def latents(self) -> int:
        """Number of latents of the network; 0 for a classifier."""
        return self.latent_dim if self.model == "dbvae" else 0

    def allowing_doubles(self) -> Self:
        """The same settings, with duplicate pictures allowed in the data."""
        data = self.data.model_copy(update={"doubles": "allow"})
        return self.model_copy(update={"data": data})

    def with_paths(self, changed: Callable[[str], str]) -> Self:
        """The same settings, each path of the data changed by a function."""
        return self.model_copy(update={"data": self.data.with_paths(changed)})

    def identity(self) -> dict[str, Any]:
        """The settings that affect a run, as plain values.

        The path of the data is omitted (its content counts, by digest), and so are the resampling
        settings of an arm that does not resample.
        """
        choices = self.model_dump(mode="json", exclude={"data"})
        if self.resampling.combine == "none":
            kept = ("combine", "uniform_epochs") + (
                ("replacement", "balance") if self.resampling.uniform_epochs == "draw" else ()
            )
            choices["resampling"] = {name: choices["resampling"][name] for name in kept}
        elif self.resampling.combine != "product":
            del choices["resampling"]["arithmetic"]
        if self.model == "classifier":
            for name in ONLY_WITH_LATENTS:
                del choices[name]
        return choices


def completed(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Add the settings of later releases to a configuration from a record of any release."""
    if "architecture" in plain or not {"model", "resampling"} <= set(plain):
        return dict(plain)
    model = "classifier" if plain["model"] == "classifier" else "dbvae"
    resampling = _BEFORE["resampling"] | plain["resampling"]
    return _BEFORE | dict(plain) | {"model": model, "resampling": resampling}
