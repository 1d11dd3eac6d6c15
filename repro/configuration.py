"""One arm of a study: every choice that shapes a run, except its seed.

Nothing here has a default that the literature disputes: a configuration starts from a preset, which
names a published combination of choices, and says what differs.
Two runs are replicates of each other exactly when their configurations and data are equal.
The letters in brackets are the literature's: ORIG is Amini & Soleimany et al. (2019), DH is the
reproduction by de Haan et al. (2020), MIT the 6.S191 lab, JM another reproduction.
"""

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1, le=10_000_000)]
Share = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**64)]


class Section(BaseModel):
    """A part of a configuration: frozen, typed, unknown keys refused, nothing coerced."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


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
    """How faces are drawn after the latent density is known (ORIG equations 3 and 4)."""

    combine: Literal["none", "max", "product", "top5"]  # ORIG product, MIT and DH max, JM top5
    arithmetic: Literal["log", "float32"]  # of the product; DH found it to underflow
    density: Literal["mass", "density"]  # bins sum to 1 (DH) or integrate to 1 (MIT, JM)
    alpha: NonNegative  # added to each bin before inverting; 0 debiases most
    bins: Annotated[int, Field(ge=1, le=255)]  # per latent, equal widths over its range
    latents: Literal["mean", "sample"]  # MIT, DH means; ORIG samples
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


class SyntheticTraining(Section):
    """The project's own parametric faces and non-faces."""

    source: Literal["synthetic"] = "synthetic"
    faces: Count = 1000
    nonfaces: Count = 1000
    darker_share: Share = 0.13  # of the faces; 0.13 is CelebA's skew, 0.5 is no skew
    seed: Seed = 0  # of the pictures; a run's own seed never changes its data


class MitH5(Section):
    """MIT's ``train_face.h5``: images uint8 (N, 64, 64, 3), labels (N, 1), 1 = face."""

    source: Literal["mit_h5"] = "mit_h5"
    path: str
    channels: Literal["bgr", "rgb"] = "bgr"  # as stored; MIT's file holds BGR


class SyntheticPortraits(Section):
    """The project's own head-and-shoulders pictures, balanced over skin and gender."""

    source: Literal["synthetic"] = "synthetic"
    per_group: Count = 150
    size: Annotated[int, Field(ge=64, le=1024)] = 128  # pixels, square
    seed: Seed = 0


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class Ppb(Section):
    """A folder in the layout of the Pilot Parliaments Benchmark."""

    source: Literal["ppb"] = "ppb"
    path: str
    groups: Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(_tuples)] = (
        "bi.fitz",
        "gender",
    )


class SyntheticScenes(Section):
    """The project's own pictures without a face."""

    source: Literal["synthetic"] = "synthetic"
    photographs: Count = 200
    size: Annotated[int, Field(ge=64, le=1024)] = 128
    seed: Seed = 0


class Folder(Section):
    """A folder of photographs."""

    source: Literal["folder"] = "folder"
    path: str


def _spec(path_source: str) -> BeforeValidator:
    """Let ``synthetic`` or a path stand for a whole specification."""

    def expand(value: Any) -> Any:
        if value == "synthetic":
            return {"source": "synthetic"}
        return {"source": path_source, "path": value} if isinstance(value, str) else value

    return BeforeValidator(expand)


class Data(Section):
    """Where the training images, the test portraits and the face-free photographs come from."""

    train: Annotated[
        Annotated[SyntheticTraining | MitH5, Field(discriminator="source")], _spec("mit_h5")
    ]
    test: Annotated[
        Annotated[SyntheticPortraits | Ppb, Field(discriminator="source")], _spec("ppb")
    ]
    nonfaces: Annotated[
        Annotated[SyntheticScenes | Folder, Field(discriminator="source")], _spec("folder")
    ]

    @model_validator(mode="before")
    @classmethod
    def _one_word(cls, value: Any) -> Any:
        if value == "synthetic":
            return dict.fromkeys(("train", "test", "nonfaces"), "synthetic")
        return value

    @property
    def is_synthetic(self) -> bool:
        """Whether any part is the project's own: published numbers do not apply to it."""
        return "synthetic" in (self.train.source, self.test.source, self.nonfaces.source)


class Configuration(Section):
    """One arm of a study. See `PRESETS` for complete examples."""

    model: Literal["dehaan2020", "classifier"]  # the DB-VAE, or its encoder as a plain classifier
    latent_dim: Annotated[int, Field(ge=1, le=10_000)]
    decoder_input: Literal["all", "faces"]  # DH, MIT all; JM faces; BatchNorm sees the difference
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

    def identity(self) -> dict[str, Any]:
        """The choices that shape a run, as plain values; those without effect are left out.

        The data's place is no part of it (its content is, by digest), and neither is how faces
        would be resampled in an arm that does not resample.
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
            for name in ("latent_dim", "decoder_input", "kl", "reconstruction"):
                del choices[name]
        return choices


def digest(value: Any) -> str:
    """First 32 hex digits, 128 bits, of the SHA-256 of a plain value in canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


PRESETS: dict[str, dict[str, Any]] = {
    # de Haan, ten Kaate, van Loenhout & van Woerden (2020), as their code has it.
    "dehaan2020": {
        "model": "dehaan2020",
        "latent_dim": 100,
        "decoder_input": "all",
        "classification": {"weight": 1.0},
        "kl": {"weight": 1.0},
        "reconstruction": {"norm": "l2", "reduction": "sum", "weight": 1.0},
        "resampling": {
            "combine": "max",
            "arithmetic": "log",
            "density": "mass",
            "alpha": 0.001,
            "bins": 10,
            "latents": "mean",
            "first_epoch": "uniform",
            "replacement": "with",
            "balance": "expected",
            "uniform_epochs": "shuffle",
        },
        "learning_rate": 0.001,
        "batch_size": 24,
        "epochs": 60,
        "checkpoint": "best_val_accuracy",
        "validation_share": 0.2,
        "precision": "fp32",
        "windows": {"sizes": 5, "smallest": 0.5, "stride": 0.2, "resize": "nearest"},
        "data": "synthetic",
    },
}
