"""What extends a list of this program: a rule, an objective, a model, a metric or a source.

An author declares one by a decorator::

    @rule("inverse_root", parameters=Root, needs=("groups",))
    def inverse_root(latents, context): ...

The built-in ones are declared by `Plugin` itself, with their code named as ``"module:attribute"``,
which is imported when it is used.
"""

import importlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from repro.plugins.installed import Installed
    from repro.plugins.plugin_text import PluginText

Kind = Literal["rule", "objective", "model", "metric", "source"]
Need = Literal["latents", "groups", "losses", "source"]
Scope = Literal["draw", "loss"]
Better = Literal["higher", "lower"]
Role = Literal["train", "test", "nonfaces", "crops"]
Made = TypeVar("Made", bound=Callable[..., Any])

KINDS: tuple[Kind, ...] = get_args(Kind)
NEEDS: tuple[Need, ...] = get_args(Need)
MOST_LETTERS = 60  # of a name
_NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{MOST_LETTERS - 1}}}")
_MARK = "__repro_plugins__"  # attribute of what a decorator was put on


class Parameters(BaseModel):
    """Parameters of a plug-in: frozen, typed, unknown keys refused, nothing converted.

    Declare them at the level of the module, each with a type and, where there is one, a default.
    """

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", allow_inf_nan=False, validate_default=True
    )


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a plug-in comes from.

    Attributes:
        where: File or folder as the user named it, or distribution and version.
        digest: Of its files, 32 hex digits.
        root: File or folder of its code, as in tracebacks.
        shown: The same as messages show it: the place of a text that was first loaded elsewhere.
        carrier: What brings it to a worker: its text, or where an installed one is found.
    """

    where: str
    digest: str
    root: str
    shown: str
    carrier: "PluginText | Installed | None" = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One thing that a study can name.

    Attributes:
        kind: What it is.
        name: How a study names it.
        make: Its function or class, or ``"module:attribute"``.
        parameters: Their types and defaults.
        needs: What a rule or an objective must be given.
        what: It does, in words for the caption: ``deals weights to other faces``.
        paper: Where the method was published; "" if nowhere.
        groups: What the method knows of groups, in words for the caption.
        cost: What it costs beside a plain run, in words for the caption.
        unit: Of a metric, such as ``points``; "" if it has none.
        better: Which direction of a metric is better; None if neither is.
        scope: Whether a rule's probabilities draw faces or weight their losses.
        trains: Whether an objective has epochs; one without only fits its source run's network.
        held_out: Held-out faces of each group that an objective needs, because it fits on them.
        role: Which data a source gives; None for other kinds.
        origin: None if it is built in.
    """

    kind: Kind
    name: str
    make: Callable[..., Any] | str
    parameters: type[Parameters] = Parameters
    needs: tuple[Need, ...] = ()
    what: str = ""
    paper: str = ""
    groups: str = ""
    cost: str = ""
    unit: str = ""
    better: Better | None = None
    scope: Scope = "draw"
    trains: bool = True
    held_out: int = 0
    role: Role | None = None
    origin: Origin | None = None

    def __post_init__(self) -> None:
        """Check what an author can get wrong.

        Raises:
            ValueError: The name, a need or the class of parameters cannot be used.
        """
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ValueError(
                f"{self.name!r} is no name of a {self.kind}: write a small letter, then small "
                f"letters, digits and '_', at most {MOST_LETTERS} in all"
            )
        if not (isinstance(self.parameters, type) and issubclass(self.parameters, Parameters)):
            raise ValueError(
                f"parameters of the {self.kind} {self.name}: give a subclass of "
                "repro.plugins.Parameters"
            )
        _require_one_of(self, "needs", self.needs, NEEDS)
        _require_one_of(self, "scope", (self.scope,), get_args(Scope))
        _require_one_of(self, "better", (self.better,), (*get_args(Better), None))
        _require_one_of(self, "role", (self.role,), (*get_args(Role), None))

    @property
    def title(self) -> str:
        """Kind and name, as messages and records say it."""
        return f"{self.kind} {self.name}"

    @property
    def function(self) -> Callable[..., Any]:
        """Its function or class, imported if it is only named."""
        if not isinstance(self.make, str):
            return self.make
        module, attribute = self.make.split(":")
        found: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
        return found

    def filled(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters with their defaults, as plain values.

        Args:
            given: Those that the study names.

        Raises:
            pydantic.ValidationError: One is unknown, missing or of another type.
        """
        return self.parameters.model_validate(dict(given)).model_dump(mode="json")

    def typed(self, plain: Mapping[str, Any]) -> BaseModel:
        """The parameters as its function gets them; `plain` are those of `filled`.

        Raises:
            pydantic.ValidationError: As for `filled`.
        """
        return self.parameters.model_validate_json(json.dumps(dict(plain)))


def rule(
    name: str,
    *,
    parameters: type[Parameters] = Parameters,
    needs: tuple[Need, ...] = ("latents",),
    scope: Scope = "draw",
    paper: str = "",
    groups: str = "",
    cost: str = "",
) -> Callable[[Made], Made]:
    """Declare a rule: ``(latents, context) -> probabilities`` of the training faces.

    The probabilities are float64 of shape (N,) with sum 1, used as they are; or a pair with those
    of the M training images without a face; or None for an epoch that draws all alike. A rule that
    needs the network's latents or losses is not asked in a first epoch that is to be uniform.

    Args:
        name: How a study names it.
        parameters: Their types and defaults.
        needs: Which of latents, groups, losses and a source run it must be given.
        scope: ``draw``, or ``loss`` to weight the losses by N times the probabilities.
        paper: Where it was published.
        groups: What it knows of groups, in words.
        cost: What it costs, in words.

    Raises:
        ValueError: As for `Plugin`.
    """
    words = {"paper": paper, "groups": groups, "cost": cost}
    return _marking("rule", name, parameters=parameters, needs=needs, scope=scope, **words)


def objective(
    name: str,
    *,
    parameters: type[Parameters] = Parameters,
    needs: tuple[Need, ...] = (),
    trains: bool = True,
    held_out: int = 0,
    paper: str = "",
    groups: str = "",
    cost: str = "",
) -> Callable[[Made], Made]:
    """Declare an objective: a class with weights of the images, or another loss, and its state.

    Args:
        name: How a study names it.
        parameters: Their types and defaults.
        needs: Which of groups and a source run it must be given.
        trains: Whether it has epochs; False: only ``finish`` is called.
        held_out: Held-out faces of each group that it needs, because it fits on them; a plan
            checks that they are there, and that they did not choose the source run's epoch.
        paper: Where it was published.
        groups: What it knows of groups, in words.
        cost: What it costs, in words.

    Raises:
        ValueError: As for `Plugin`.
    """
    words = {"paper": paper, "groups": groups, "cost": cost}
    own = {"parameters": parameters, "needs": needs, "trains": trains, "held_out": held_out}
    return _marking("objective", name, **own, **words)


def model(
    name: str,
    *,
    parameters: type[Parameters] = Parameters,
    paper: str = "",
    cost: str = "",
) -> Callable[[Made], Made]:
    """Declare a model: what makes a ``torch.nn.Module`` of its parameters.

    Args:
        name: How a study names it.
        parameters: Their types and defaults.
        paper: Where it was published.
        cost: What it costs, in words.

    Raises:
        ValueError: As for `Plugin`.
    """
    return _marking("model", name, parameters=parameters, paper=paper, cost=cost)


def metric(
    name: str, *, unit: str, better: Better | None = None, paper: str = ""
) -> Callable[[Made], Made]:
    """Declare a metric: ``(scores, groups, labels, threshold) -> float`` of one run.

    Args:
        name: How a study names it.
        unit: Such as ``points``; "" if it has none.
        better: Which direction is better; None if neither is.
        paper: Where it was published.

    Raises:
        ValueError: As for `Plugin`.
    """
    return _marking("metric", name, unit=unit, better=better, paper=paper)


def source(
    name: str, *, role: Role, parameters: type[Parameters] = Parameters, paper: str = ""
) -> Callable[[Made], Made]:
    """Declare a source: what gives the data of one role.

    Args:
        name: How a study names it.
        role: ``train``, ``test``, ``nonfaces`` or ``crops``, as in a study's `data`.
        parameters: Their types and defaults.
        paper: Where the data were published.

    Raises:
        ValueError: As for `Plugin`.
    """
    return _marking("source", name, role=role, parameters=parameters, paper=paper)


def declared_by(made: object) -> tuple[Plugin, ...]:
    """The plug-ins that a function or class was declared to be; of its own, none inherited."""
    own = getattr(made, "__dict__", {})
    return tuple(own.get(_MARK, ())) if isinstance(own, Mapping) else ()


def declared_in(modules: Iterable[ModuleType]) -> Iterator[Plugin]:
    """The plug-ins of some modules, each once, in the order of their names in the modules."""
    seen: set[int] = set()
    for module in modules:
        for value in list(vars(module).values()):
            for one in declared_by(value):
                if id(one) not in seen:
                    seen.add(id(one))
                    yield one


def _marking(kind: Kind, name: str, **declared: Any) -> Callable[[Made], Made]:
    """A decorator that leaves what it is put on as it is, and notes what it was declared to be."""
    Plugin(kind=kind, name=name, make="", **declared)  # a mistake is told at the decorator's line

    def mark(made: Made) -> Made:
        if not isinstance(made, FunctionType | type):
            raise ValueError(f"the {kind} {name}: put the decorator on a function or a class")
        one = Plugin(kind=kind, name=name, make=made, **declared)
        setattr(made, _MARK, (*declared_by(made), one))
        return made

    return mark


def _require_one_of(
    plugin: Plugin, what: str, given: Iterable[object], known: tuple[object, ...]
) -> None:
    if isinstance(given, str):
        raise ValueError(f"{what} of the {plugin.title}: write a tuple, ({given!r},)")
    for value in given:
        if value not in known:
            words = ", ".join(str(one) for one in known)
            raise ValueError(f"{what} of the {plugin.title}: {value!r} is none of {words}")
