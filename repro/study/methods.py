"""The built-in rules, objectives and networks, as a study names them; their code loads when used.

A rule says how training faces are drawn, an objective what training minimises. Names and
parameters are declared here, with the paper, what the method knows of groups, and what it costs
beside the plain arm; tables print these words under each study that uses the method.
N are the training faces, G their groups, n_g the faces of group g, p the probabilities.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import Field

from repro.plugins import carriers
from repro.plugins.carriers import Carried
from repro.plugins.catalogue import Catalogue
from repro.plugins.declared import Kind, Parameters, Plugin
from repro.study import data_spec
from repro.study.claims import QUANTITIES
from repro.study.configuration import (
    OF_DENSITY,
    OWN_ARCHITECTURES,
    STANDARD,
    Configuration,
    DensityRule,
)
from repro.study.yaml_source import KeyPath

RULES = "repro.training.rules"
OBJECTIVES = "repro.training.objectives"
NO_GROUPS = "knows no groups"
OF_FACES = "knows the group of each training face"
FEWEST_HELD_OUT = 4  # faces of each group: DFR fits on two and scores on two
Labels = Literal["true", "estimated"]  # whether somebody knew the groups or a classifier guessed


class Placebo(Parameters):
    """The weights of another arm's run, dealt to other faces."""

    within: Literal["all", "groups"] = "all"  # the faces among which weights are dealt
    permutation: Literal["run", "epoch"] = "run"  # one for the run, or a new one in each epoch


class Balanced(Parameters):
    """Training faces balanced over their groups."""

    labels: Labels = "true"


class ByDensity(Parameters):
    """Weights by a density of latents, used in another way than by drawing each epoch."""

    by: DensityRule = "max"


class Jtt(Parameters):
    """Just Train Twice: images that a first network got wrong are drawn more often."""

    upweight: Annotated[int, Field(ge=1, le=10_000)] = 20  # lambda
    copies: Literal["lambda", "lambda_plus_one"] = "lambda"  # paper, or the authors' code
    nonfaces: Literal["upweighted", "even"] = "upweighted"
    empty: Literal["error", "even"] = "error"  # what to do if the first network got all right


class GroupDro(Parameters):
    """Group distributionally robust optimisation over the groups of faces."""

    step_size: Annotated[float, Field(gt=0, le=100)] = 0.1  # eta_q; the paper's code 0.01
    adjustment: Annotated[float, Field(ge=0, le=1000)] = 0.0  # C of C / sqrt(n_g)
    terms: Literal["classification", "all"] = "classification"  # of a face, that q multiplies


class Lff(Parameters):
    """Learning from Failure: a second, biased network says which images are hard."""

    q: Annotated[float, Field(gt=0, le=1)] = 0.7  # of the generalised cross-entropy
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.7  # of each image's average loss


class Dfr(Parameters):
    """Deep Feature Reweighting: the last layer is fitted again on balanced held-out faces."""

    fits: Annotated[int, Field(ge=1, le=100)] = 20  # balanced subsets, whose fits are averaged
    strengths: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)] = Field(
        default_factory=lambda: [1.0, 0.7, 0.3, 0.1, 0.07, 0.03, 0.01]
    )  # C of the L1 penalty, from which the worst group chooses
    labels: Labels = "true"


def _density_rule(name: str) -> Plugin:
    return Plugin(
        kind="rule",
        name=name,
        make=f"{RULES}.density:weights",
        needs=("latents",),
        paper="Amini & Soleimany et al. 2019, equation 4",
        groups=NO_GROUPS,
        cost="encodes the training faces once an epoch",
    )


_RULES = (
    Plugin(kind="rule", name="none", make=f"{RULES}.density:even"),
    *(_density_rule(name) for name in OF_DENSITY),
    Plugin(
        kind="rule",
        name="placebo",
        what="deals the weights of the source run, epoch by epoch, to other training faces",
        make=f"{RULES}.placebo:weights",
        parameters=Placebo,
        needs=("source",),
        groups=NO_GROUPS,  # with `within: groups` it knows them, see `known_groups`
        cost="none, beside the run whose weights it deals",
    ),
    Plugin(
        kind="rule",
        name="oracle",
        what="gives each group of the training faces the same mass",
        make=f"{RULES}.balanced:oracle",
        parameters=Balanced,
        needs=("groups",),
        paper="RWG of Idrissi et al. 2022",
        groups=OF_FACES,
        cost="none",
    ),
    Plugin(
        kind="rule",
        name="subg",
        what="cuts each group of the training faces to the size of the smallest, once a run",
        make=f"{RULES}.balanced:subg",
        parameters=Balanced,
        needs=("groups",),
        paper="SUBG of Idrissi et al. 2022",
        groups=OF_FACES,
        cost="none; as many updates as the other arms",
    ),
    Plugin(
        kind="rule",
        name="as_loss",
        what="draws all alike, and multiplies each face's loss by N times its probability",
        make=f"{RULES}.density:as_loss",
        parameters=ByDensity,
        needs=("latents",),
        scope="loss",
        paper="Byrd & Lipton 2019",
        groups=NO_GROUPS,
        cost="encodes the training faces once an epoch",
    ),
    Plugin(
        kind="rule",
        name="frozen",
        what="takes weights once from the latents of the source run's network, for all epochs",
        make=f"{RULES}.frozen:weights",
        parameters=ByDensity,
        needs=("source",),
        groups=NO_GROUPS,
        cost="encodes the training faces once, beside the run whose network does",
    ),
    Plugin(
        kind="rule",
        name="jtt",
        what="draws images more often that the source run's network gets wrong, within each class",
        make=f"{RULES}.jtt:weights",
        parameters=Jtt,
        needs=("source",),
        paper="Liu et al. 2021",
        groups=f"{NO_GROUPS} in training",
        cost="the epochs of its first stage, which is an arm of its own",
    ),
)
_OBJECTIVES = (
    Plugin(kind="objective", name=STANDARD, make=""),
    Plugin(
        kind="objective",
        name="group_dro",
        what="weights the groups of faces by their losses, the worst most",
        make=f"{OBJECTIVES}.group_dro:GroupDro",
        parameters=GroupDro,
        needs=("groups",),
        paper="Sagawa et al. 2020",
        groups=OF_FACES,
        cost="none",
    ),
    Plugin(
        kind="objective",
        name="lff",
        what="weights images by how hard a second, biased network finds them",
        make=f"{OBJECTIVES}.lff:Lff",
        parameters=Lff,
        paper="Nam et al. 2020",
        groups=f"{NO_GROUPS} in training",
        cost="a second network, trained beside the first",
    ),
    Plugin(
        kind="objective",
        name="dfr",
        what="fits the last layer of the source run's network again, on balanced held-out faces",
        make=f"{OBJECTIVES}.dfr:Dfr",
        parameters=Dfr,
        needs=("groups", "source"),
        trains=False,
        held_out=FEWEST_HELD_OUT,
        paper="Kirichenko et al. 2023",
        groups="is fitted on the groups of held-out faces",
        cost="seconds, beside the run whose network it starts from",
    ),
)
_NETWORKS = tuple(
    Plugin(kind="model", name=name, make="repro.models:build") for name in OWN_ARCHITECTURES
)
# What claims measure, and where data come from, so that no plug-in takes their names.
_QUANTITIES = tuple(Plugin(kind="metric", name=name, make="") for name in QUANTITIES)
_SOURCES = tuple(Plugin(kind="source", name=name, make="") for name in data_spec.NAMES)
BUILT_IN = Catalogue().with_plugins((*_RULES, *_OBJECTIVES, *_NETWORKS, *_QUANTITIES, *_SOURCES))


def with_plugins(all_carried: Iterable[Carried]) -> Catalogue:
    """What a run can name, where it is: what is built in, and its plug-ins, which are loaded.

    Raises:
        PluginError: One cannot be loaded, is not installed here, or differs here.
    """
    own = {id(one.carrier): one for one in all_carried}  # one text may hold several
    return BUILT_IN.with_plugins(carriers.unpacked(own.values()))


def grouped(configuration: Configuration, catalogue: Catalogue) -> Iterator[tuple[KeyPath, str]]:
    """The rule and the objective of an arm, as far as they need groups: setting, and title."""
    used = configuration.used
    resampling, objective = configuration.resampling, configuration.objective
    found: tuple[tuple[KeyPath, Kind, dict[str, object]], ...] = (
        (("resampling", "rule"), "rule", resampling.parameters),
        (("objective", "name"), "objective", objective.parameters),
    )
    for path, kind, parameters in found:
        plugin = catalogue.find(kind, used[kind])
        if plugin is not None and needs_groups(plugin, parameters):
            yield path, plugin.title


def needs_groups(plugin: Plugin, parameters: dict[str, object]) -> bool:
    """Whether a rule or an objective needs the groups of training faces."""
    return "groups" in plugin.needs or parameters.get("within") == "groups"


def known_groups(plugin: Plugin, parameters: dict[str, object]) -> str:
    """What a method knows of groups, in words."""
    return OF_FACES if parameters.get("within") == "groups" else plugin.groups


def objective(configuration: Configuration, catalogue: Catalogue) -> Plugin:
    """The objective of an arm.

    Raises:
        KeyError: There is none of its name, which a study is refused for.
    """
    return catalogue.entries["objective", configuration.objective.name]


def replays(configuration: Configuration) -> bool:
    """Whether a rule takes the weights of every epoch of its source run."""
    return configuration.resampling.rule == "placebo"


def follows_network(plugin: Plugin) -> bool:
    """Whether a rule uses what the run's own network has learnt.

    Such a rule is not asked in a first epoch that is to be uniform (``first_epoch``).
    """
    return bool({"latents", "losses"} & set(plugin.needs))
