"""DFR, deep feature reweighting: the last layer is fitted again, on balanced held-out images.

Kirichenko, Izmailov and Wilson (2023), "Last Layer Re-Training is Sufficient for Robustness to
Spurious Correlations", ICLR, arXiv 2204.02937. With h(x) the features before the last layer of a
trained network, in evaluation mode and standardised, it minimises::

    |w|_1 + C sum over i of log(1 + exp(-y_i (w h(x_i) + b)))

over a balanced subset of held-out images. Here that is m faces of each group, m the number of the
smallest, and G m non-faces (fewer of both if there are fewer non-faces). C is the one with the
highest recall of the worst group, non-faces among them, where half of the held-out images is fitted
and the other half scored. Then weights and intercepts are averaged over fits on balanced subsets of
all held-out images, and folded back::

    w = w_s / sd,   b = b_s - sum of w_s mean / sd

One scaler serves both: mean and standard deviation of all held-out images. (The authors' code
chooses C with the scale of the balanced half, and fits with that of the training images.) The
intercept is not penalised.

Nothing else is trained: the network is that of the source run, whose epoch must not be chosen on
the held-out images. The intercept moves the operating point, too: compare at equal false positives.
With few held-out faces of the smallest group there are fewer images than features; then the fit
keeps few features and differs much between seeds. The record says how many there were.

Knows the groups of the held-out faces, and is fitted on them. Cost: seconds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from repro.errors import ReproError, RunFailed
from repro.study.methods import FEWEST_HELD_OUT
from repro.training import inference
from repro.training.objective import Objective, ObjectiveContext
from repro.training.objectives import l1_logistic
from repro.training.objectives.l1_logistic import Linear, Numbers

NONFACES = -1  # in place of a group's number

Groups = NDArray[np.int64]  # number of each image's group, `NONFACES` for others, (N,)
Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scaler:
    """Standardises features.

    Attributes:
        mean: Of each feature, (D,).
        sd: Its standard deviation with division by N, (D,); 1 for a constant feature.
    """

    mean: Numbers
    sd: Numbers

    @classmethod
    def of(cls, features: Numbers) -> "Scaler":
        """From features (N, D)."""
        sd = features.std(axis=0)
        return cls(features.mean(axis=0), np.where(sd > 0, sd, 1.0))

    def scaled(self, features: Numbers) -> Numbers:
        """Standardised features, (N, D)."""
        found: Numbers = (features - self.mean) / self.sd
        return found

    def folded(self, fitted: Linear) -> Linear:
        """The same logit as a function of features that are not standardised."""
        weights = fitted.weights / self.sd
        return Linear(weights, fitted.intercept - float(weights @ self.mean))


def mean_of(fits: Sequence[Linear]) -> Linear:
    """Means of weights and intercepts: the mean logit, not the mean probability."""
    weights = np.mean([one.weights for one in fits], axis=0)
    return Linear(weights, float(np.mean([one.intercept for one in fits])))


def balanced(groups: Groups, random: np.random.Generator) -> Index:
    """As many faces of each group as of the smallest, and as many non-faces as faces, at random.

    Args:
        groups: Of each image.
        random: Which of them.

    Returns:
        Positions, G m of faces and G m of others; m is smaller if there are fewer than G m others.
    """
    names = [name for name in np.unique(groups) if name != NONFACES]
    members = {name: random.permutation(np.flatnonzero(groups == name)) for name in names}
    others = random.permutation(np.flatnonzero(groups == NONFACES))
    count = min([len(others) // max(len(names), 1), *map(len, members.values())])
    parts = [members[name][:count] for name in names]
    return np.concatenate([*parts, others[: count * len(names)]])


def halves(groups: Groups, random: np.random.Generator) -> tuple[Index, Index]:
    """Two halves of the images, each with half of each group; an odd one goes to the first."""
    shuffled = [random.permutation(np.flatnonzero(groups == name)) for name in np.unique(groups)]
    middles = [(len(one) + 1) // 2 for one in shuffled]
    pairs = list(zip(shuffled, middles, strict=True))
    return (
        np.concatenate([one[:middle] for one, middle in pairs]),
        np.concatenate([one[middle:] for one, middle in pairs]),
    )


def recalls(logits: Numbers, groups: Groups) -> Numbers:
    """Share of the images of each group that are classified correctly, non-faces the first."""
    correct = (logits >= 0) == (groups != NONFACES)
    return np.array([correct[groups == name].mean() for name in np.unique(groups)])


def chosen_strength(
    features: Numbers, groups: Groups, strengths: Iterable[float], random: np.random.Generator
) -> tuple[float, float]:
    """The C whose fit on a balanced half has the best worst group on the other half.

    Args:
        features: Standardised, (N, D).
        groups: Of each image.
        strengths: To choose from; of equals the one with the best mean over groups, then the
            smallest.
        random: For the halves.

    Returns:
        C, and the recall of its worst group.
    """
    first, second = halves(groups, random)
    half = first[balanced(groups[first], random)]
    found = {}
    for c in sorted(strengths):
        fitted = l1_logistic.fit(features[half], groups[half] != NONFACES, c=c)
        of_groups = recalls(fitted.logits(features[second]), groups[second])
        found[c] = float(of_groups.min()), float(of_groups.mean())
    best = max(found, key=found.__getitem__)  # of equals the first, which is the smallest
    return best, found[best][0]


class Dfr(Objective):
    """DFR (Kirichenko et al. 2023); see the module.

    Parameters: ``fits``, the number of balanced subsets, and ``strengths``, the values of C.
    """

    def __init__(self, context: ObjectiveContext) -> None:
        """Take over the network of the source run.

        Raises:
            ReproError: It is another network, or too few faces of a group are held out.
        """
        self.context = context
        self.sizes = context.sizes(context.validation)
        _require_enough(self.sizes)
        self.encoder = context.model.encoder
        if not hasattr(self.encoder, "logit"):
            raise ReproError(
                "objective.name: dfr fits the layer of the logit, and of the network "
                f"{context.settings.used['model']} it is not known: choose a built-in network"
            )
        try:
            context.model.load_state_dict(context.source.network())
        except RuntimeError:
            raise ReproError(
                f"objective.of: the network of {context.source.key} is another one than this "
                "arm's: make model, architecture and latent_dim alike"
            ) from None

    def finish(self) -> dict[str, float]:
        """Fit the layer of the logit; the numbers of images, C, and what the fit is like."""
        parameters = self.context.parameters
        features, groups = self._held_out()
        scaler, random = Scaler.of(features), self._random()
        scaled = scaler.scaled(features)
        try:
            c, recall = chosen_strength(scaled, groups, parameters.strengths, random)
            subsets = [balanced(groups, random) for _ in range(parameters.fits)]
            fits = [l1_logistic.fit(scaled[s], groups[s] != NONFACES, c=c) for s in subsets]
        except ArithmeticError as error:
            raise RunFailed(epoch=1, term="objective dfr", reason=str(error)) from None
        fitted = mean_of(fits)
        if not fitted.weights.any():
            reason = f"no feature is left at C = {c:g}, the best of `strengths`: name larger ones"
            raise RunFailed(epoch=1, term="objective dfr", reason=reason)
        self._store(scaler.folded(fitted))
        return {
            **{f"held_out/{name}": float(count) for name, count in self.sizes.items()},
            "held_out/nonfaces": float((groups == NONFACES).sum()),
            "images_of_a_fit": float(len(subsets[0])),
            "strength": c,
            "worst_recall_of_other_half": recall,
            "features": float(len(fitted.weights)),
            "features_used": float(np.count_nonzero(fitted.weights)),
            "features_used_by_a_fit": float(np.mean([np.count_nonzero(f.weights) for f in fits])),
        }

    def _held_out(self) -> tuple[Numbers, Groups]:
        """Features of the held-out images, (N, D), and their groups."""
        context = self.context
        features = inference.hidden(context.model, context.images, context.validation)
        return features.double().numpy(), context.groups[context.validation].cpu().numpy()

    def _random(self) -> np.random.Generator:
        seed = torch.randint(2**62, (1,), generator=self.context.random, device=self.context.device)
        return np.random.default_rng(int(seed))

    def _store(self, fitted: Linear) -> None:
        layer = self.encoder.logit
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(fitted.weights).to(layer.weight.dtype).unsqueeze(0))
            layer.bias.fill_(fitted.intercept)


def _require_enough(sizes: Mapping[str, int]) -> None:
    for name, count in sizes.items():
        if count < FEWEST_HELD_OUT:
            raise ReproError(
                f"objective.name: dfr fits on held-out faces, and {count} of the group {name} are "
                f"held out: it needs {FEWEST_HELD_OUT}; hold out more (validation_share), or add "
                "faces of this group"
            )
