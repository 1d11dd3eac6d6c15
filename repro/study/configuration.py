"""One arm of a study: all settings of a run except its seed.

Settings on which the literature differs have no default here: a configuration starts from a preset,
which is a published combination of settings, and overrides some of them.
Two runs are replicates of each other exactly when their configurations and data are equal.
The letters in brackets are the literature's: ORIG is Amini & Soleimany et al. (2019), DH is the
reproduction by de Haan et al. (2020), MIT the 6.S191 lab, JM another reproduction.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import BeforeValidator, Field, model_validator

from repro.plugins.declared import Kind
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


Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[a-z][a-z0-9_]*$")]
ArmName = Annotated[str, Field(min_length=1, max_length=200)]
# The rules that invert a density of the latents; the density's settings belong to them.
DensityRule = Literal["max", "product", "top5"]
OF_DENSITY: tuple[DensityRule, ...] = get_args(DensityRule)
STANDARD = "standard"  # the objective of the papers


class Resampling(Section):
    """How training faces are sampled, by the latent density (ORIG equations 3 and 4) or otherwise.

    A rule that is not of the density has parameters of its own, see `methods`; in a study file
    they stand beside the other keys.
    """

    rule: Name  # none; ORIG product, MIT and DH max, JM top5; or another of `methods`
    of: ArmName | None = None  # the arm whose finished run of the same seed the rule starts from
    parameters: dict[str, Any] = Field(default_factory=dict)  # of the rule, defaults filled in
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


class Objective(Section):
    """What training minimises: the papers' loss, or a method that changes it; see `methods`."""

    name: Name = STANDARD
    of: ArmName | None = None  # the arm whose finished run of the same seed it starts from
    parameters: dict[str, Any] = Field(default_factory=dict)  # of the objective


class Network(Section):
    """A network of a plug-in."""

    name: Name
    parameters: dict[str, Any] = Field(default_factory=dict)


class Windows(Section):
    """Sliding windows over a photograph (MIT 2019, DH)."""

    sizes: Annotated[int, Field(ge=1, le=100)]  # equally spaced from `smallest` to the whole width
    smallest: Annotated[float, Field(gt=0, le=1)]  # share of the photograph's width
    stride: Annotated[float, Field(gt=0, le=1)]  # share of the window's size
    resize: Literal["nearest", "bilinear"]  # to 64 x 64


class WholePicture(Section):
    """Each picture is one window, as of aligned faces, which leave nothing to scan."""

    smallest: ClassVar[float] = 0.0  # any picture has room for it
    resize: Literal["nearest", "bilinear"]  # to 64 x 64, whatever its shape


Reading = Windows | WholePicture  # how a network reads a photograph
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
OWN_ARCHITECTURES = ("dehaan2020", "mit2019", "mit2020", "mit2024", "fijen2020")
Architecture = Name | Network


def _bare(value: Any) -> Any:
    """A network of this program by its name alone."""
    bare = isinstance(value, dict) and set(value) <= {"name", "parameters"}
    if bare and not value.get("parameters") and isinstance(value.get("name"), str):
        return value["name"]
    return value


class Configuration(Section):
    """One arm of a study. See `presets.PRESETS` for complete examples."""

    model: Literal["dbvae", "classifier"]  # the DB-VAE, or its encoder as a plain classifier
    architecture: Annotated[Architecture, BeforeValidator(_bare)]  # whose network
    latent_dim: Annotated[int, Field(ge=1, le=10_000)]
    decoder_input: Literal["all", "faces"]  # DH, MIT all; JM faces; BatchNorm sees the difference
    latent_noise: Literal["std", "variance"]  # times epsilon; variance, exp(logvar), is a defect
    batch_norm: Literal["batch", "stored"]  # statistics in training; stored ones are never updated
    indicator: Literal["faces", "swapped"]  # terms of faces only; swapped is a defect of MIT's
    classification: Classification
    kl: Kl
    reconstruction: Reconstruction
    resampling: Resampling
    objective: Objective = Objective()
    learning_rate: Positive  # of Adam, other settings torch's
    batch_size: Annotated[int, Field(ge=2, le=1_000_000)]  # the last, incomplete batch is left out
    epochs: Annotated[int, Field(ge=1, le=1_000_000)]
    checkpoint: Literal["last", "best_val_accuracy", "worst_class"]  # DH best; ties: the latest
    validation_share: Share  # of each class
    precision: Literal["fp32", "bf16"]  # of training's arithmetic; all sources fp32
    windows: Windows
    data: Data

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.model == "classifier" and self.resampling.rule in OF_DENSITY:
            raise ValueError(
                "the classifier has no latents to resample by: set resampling.rule to 'none'"
            )
        if self.resampling.of is not None and self.objective.of is not None:
            raise ValueError("one source run at most: resampling.of or objective.of")
        return self

    @property
    def source_arm(self) -> str | None:
        """The arm whose finished run of the same seed this one starts from; None without one."""
        return self.resampling.of or self.objective.of

    @property
    def used(self) -> dict[Kind, str]:
        """Names of the rule, the objective and the network, by kind."""
        network = self.architecture
        name = network if isinstance(network, str) else network.name
        return {"rule": self.resampling.rule, "objective": self.objective.name, "model": name}

    @property
    def methods(self) -> list[tuple[Kind, str]]:
        """Kind and name of everything that it names and a plug-in could be."""
        sources = dict.fromkeys(spec.source for spec in self.data.parts.values())
        found: list[tuple[Kind, str]] = [(kind, name) for kind, name in self.used.items()]
        return [*found, *(("source", name) for name in sources)]

    @property
    def reading(self) -> Reading:
        """How the test pictures are read, with and without a face: the test set decides."""
        whole = self.data.reads_whole
        return WholePicture(resize=self.windows.resize) if whole else self.windows

    @property
    def reading_settings(self) -> dict[str, Any]:
        """How the test pictures are read, as plain values by the keys of `windows`."""
        whole = {"read": "whole"} if isinstance(self.reading, WholePicture) else {}
        return {**whole, **self.reading.model_dump(mode="json")}

    @property
    def latents(self) -> int:
        """Number of latents of the network; 0 for a classifier."""
        return self.latent_dim if self.model == "dbvae" else 0

    def allowing_doubles(self) -> Self:
        """The same settings, with duplicate pictures allowed in the data."""
        data = self.data.model_copy(update={"doubles": "allow"})
        return self.model_copy(update={"data": data})

    def without_arms(self) -> Self:
        """The same settings without the name of another arm, which a study gives as it likes."""
        if self.source_arm is None:
            return self
        names = ("resampling", "objective")
        parts = {name: getattr(self, name).model_copy(update={"of": None}) for name in names}
        return self.model_copy(update=parts)

    def with_paths(self, changed: Callable[[str], str]) -> Self:
        """The same settings, each path of the data changed by a function."""
        return self.model_copy(update={"data": self.data.with_paths(changed)})

    def settings(self) -> dict[str, Any]:
        """The settings that affect a run, as plain values by the keys of a study file.

        The path of the data is omitted (its content counts, by digest), and so is what has no
        effect: the density's settings with another rule, those of latents without latents, those
        of windows where each picture is read whole.
        """
        choices = self.model_dump(mode="json", exclude={"data"})
        choices["windows"] = self.reading_settings
        choices["resampling"] = _effective(choices["resampling"])
        objective = {key: value for key, value in choices.pop("objective").items() if value}
        if self.objective != Objective():
            choices["objective"] = objective
        if self.model == "classifier":
            for name in ONLY_WITH_LATENTS:
                del choices[name]
        return choices

    def identity(self) -> dict[str, Any]:
        """The settings as in the name of a run.

        A source run counts by its own name and not by that of its arm. The rules of the first
        releases are called ``combine``, so that their runs keep their names.
        """
        choices = self.settings()
        for part in ("resampling", "objective"):
            choices.get(part, {}).pop("of", None)
        rule = choices["resampling"].pop("rule")
        choices["resampling"]["combine" if rule in ("none", *OF_DENSITY) else "rule"] = rule
        return choices


DRAWS = ("replacement", "balance")
_OF_A_DENSITY = ("density", "alpha", "bins", "latents", "pixels", "channels", "arithmetic")
WITHOUT_DENSITY = ("none", "placebo", "oracle", "subg", "jtt")  # rules that use no density


def _effective(resampling: dict[str, Any]) -> dict[str, Any]:
    """The settings of resampling that affect a run."""
    rule = resampling["rule"]
    if rule == "none":
        draws = DRAWS if resampling["uniform_epochs"] == "draw" else ()
        return {name: resampling[name] for name in ("rule", "uniform_epochs", *draws)}
    idle = {"arithmetic"} if density_rule(rule, resampling["parameters"]) != "product" else set()
    if rule in WITHOUT_DENSITY:
        idle |= {*_OF_A_DENSITY, "first_epoch"}
    if rule == "frozen":  # constant from the first epoch on
        idle |= {"first_epoch", "uniform_epochs"}
    idle |= {name for name in ("of", "parameters") if not resampling[name]}
    return {name: value for name, value in resampling.items() if name not in idle}


def density_rule(rule: str, parameters: Mapping[str, Any]) -> DensityRule | None:
    """The rule by which a density of the latents becomes weights; None if no density is used."""
    word = rule if rule in OF_DENSITY else parameters.get("by")
    return next((one for one in OF_DENSITY if one == word), None)


def completed(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Add the settings of later releases to a configuration from a record of any release."""
    if not {"model", "resampling"} <= set(plain):
        return dict(plain)
    resampling = renamed(plain["resampling"])
    if "architecture" in plain:
        return {**plain, "resampling": resampling}
    model = "classifier" if plain["model"] == "classifier" else "dbvae"
    resampling = _BEFORE["resampling"] | resampling
    return _BEFORE | dict(plain) | {"model": model, "resampling": resampling}


def renamed(resampling: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of resampling with ``rule`` for ``combine``, its name in the first releases."""
    if "combine" not in resampling or "rule" in resampling:
        return dict(resampling)
    return {"rule" if key == "combine" else key: value for key, value in resampling.items()}
