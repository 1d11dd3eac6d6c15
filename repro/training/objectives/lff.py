"""LfF, learning from failure: a second network fails where the first shall learn.

Nam, Cha, Ahn, Lee and Shin (2020), "Learning from Failure: De-biasing Classifier from Biased
Classifier", NeurIPS, arXiv 2007.02561. Two classifiers are trained at once. The biased one, f_B,
minimises the generalised cross-entropy, with p the probability of the true class,::

    GCE(p) = (1 - p^q) / q,  whose gradient is p^q times that of cross-entropy,

so it learns what is easy. The network of the run, f_D, minimises the cross-entropy times the
relative difficulty of the image::

    W = CE_B / (CE_B + CE_D).

As in the authors' code, both losses are moving averages of each image, L <- m L + (1 - m) new (the
loss itself at the first visit), divided by the largest average of the image's class over the whole
training set. Their code computes GCE as cross-entropy times q p^q, a constant q too small, which
Adam does not notice; this is the paper's.

f_B is a classifier of the run's architecture without decoder, with an Adam of its own and the run's
learning rate. W multiplies classification alone. It is below 1 and its mean is not brought to 1: so
classification counts less against KL and reconstruction than without it. Non-faces have W, too,
divided by the largest of their own class.

Knows no groups. Cost: a second encoder is trained, on the same batches; on a GPU, steps are not
captured.
"""

import torch
from torch import Tensor

from repro.losses import formulas
from repro.training import adam_state
from repro.training.kernels import devices
from repro.training.kernels.kernel_choice import choose
from repro.training.networks import OwnClassifier, keep_statistics
from repro.training.objective import Batch, Objective, ObjectiveContext

SMALL = 1e-8  # the authors', where a largest average or a sum is 0


def generalised_cross_entropy(logit: Tensor, is_face: Tensor, *, q: float) -> Tensor:
    """(1 - p^q) / q of each image, (N,), with p the probability of its class.

    Args:
        logit: Of the face, (N,).
        is_face: Boolean (N,).
        q: Above 0, at most 1; towards 0 it is cross-entropy.
    """
    log_p = -formulas.classification(logit, is_face)
    return -torch.expm1(q * log_p) / q


def relative_difficulty(biased: Tensor, debiased: Tensor) -> Tensor:
    """W = CE_B / (CE_B + CE_D) of each image, in [0, 1]; 0 where both are 0."""
    return biased / (biased + debiased + SMALL)


class MovingAverages:
    """The moving average of each image's loss.

    Attributes:
        values: float32 (M,); 0 for images that were not visited.
        visited: Boolean (M,).
    """

    def __init__(self, is_face: Tensor, momentum: float) -> None:
        """Of images with these classes, boolean (M,); `momentum` is the old average's share."""
        self.is_face, self.momentum = is_face, momentum
        self.values = torch.zeros(len(is_face), device=is_face.device)
        self.visited = torch.zeros_like(is_face)

    def update(self, index: Tensor, losses: Tensor) -> None:
        """Take in the losses (N,) of these images; one that is there twice counts once."""
        old = self.values[index]
        mixed = self.momentum * old + (1 - self.momentum) * losses
        self.values[index] = torch.where(self.visited[index], mixed, losses)
        self.visited[index] = True

    def of_class_maximum(self, index: Tensor) -> Tensor:
        """Averages of these images as shares of the largest of their class, (N,); 0 if it is 0."""
        faces = torch.where(self.is_face, self.values, 0.0).max()
        others = torch.where(self.is_face, 0.0, self.values).max()
        return self.values[index] / (torch.where(self.is_face[index], faces, others) + SMALL)


class Lff(Objective):
    """LfF (Nam et al. 2020); see the module.

    Parameters: ``q`` of the generalised cross-entropy, and ``momentum`` of the moving averages.
    """

    captured = False  # its second optimiser was not tried within a CUDA graph

    def __init__(self, context: ObjectiveContext) -> None:
        """Start with an untrained biased classifier."""
        self.context, settings = context, context.settings
        self.q: float = context.parameters.q
        momentum: float = context.parameters.momentum
        self.network = context.new_classifier()
        self.convolutions = self.network.encoder.convolutions
        self.kernels = choose(
            context.device,
            settings.precision,
            [self.convolutions],
            batch_norm=settings.batch_norm,
        )
        if settings.batch_norm == "stored":
            keep_statistics(self.network)
        own = isinstance(self.network, OwnClassifier)
        if self.kernels.name == "torch" and not own and devices.takes_any_layout(context.device):
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # untyped
        self.optimiser = torch.optim.Adam(
            self.network.parameters(),
            lr=settings.learning_rate,
            fused=True,
            capturable=devices.records_graphs(context.device),
        )
        self.biased = MovingAverages(context.is_face, momentum)
        self.debiased = MovingAverages(context.is_face, momentum)

    def weights(self, batch: Batch) -> Tensor:
        """Train the biased classifier on the batch; the relative difficulty of its images."""
        self.biased.update(batch.index, self._train_biased(batch))
        self.debiased.update(batch.index, batch.classification.detach())
        return self._difficulty(batch.index)

    def _train_biased(self, batch: Batch) -> Tensor:
        """One update of the biased classifier; its cross-entropies before it, (N,)."""
        with self.kernels.arithmetic(self.context.device):
            pixels = self.kernels.gather(self.context.images, batch.index)
            features = self.kernels.features(pixels, self.convolutions)
            logit = self.network.encoder.logit_from_features(features).float()
        loss = generalised_cross_entropy(logit, batch.is_face, q=self.q).mean()
        self.kernels.minimise(loss, self.optimiser)
        return formulas.classification(logit.detach(), batch.is_face)

    def _difficulty(self, index: Tensor) -> Tensor:
        averages = (self.biased, self.debiased)
        return relative_difficulty(*(average.of_class_maximum(index) for average in averages))

    def epoch_ended(self) -> dict[str, float]:
        """Mean W of the training images of each class and group that were visited."""
        index = self.context.train[self.biased.visited[self.context.train]]
        difficulty, groups = self._difficulty(index), self.context.groups[index]
        is_face = self.context.is_face[index]
        parts = {"faces": is_face, "nonfaces": ~is_face}
        exact = devices.widest(self.context.device)
        parts |= {name: groups == number for number, name in enumerate(self.context.group_names)}
        return {
            f"mean_w/{name}": float(difficulty[members].to(exact).mean())
            for name, members in parts.items()
            if members.any()
        }

    def state(self) -> dict[str, Tensor]:
        """The biased classifier, its optimiser, and the averages."""
        return {
            **adam_state.named("network", self.network.state_dict()),
            **adam_state.moments(self.optimiser, self.network),
            "biased": self.biased.values,
            "debiased": self.debiased.values,
            "visited": self.biased.visited,
        }

    def restore(self, state: dict[str, Tensor]) -> None:
        """Continue from a state."""
        self.network.load_state_dict(adam_state.unnamed("network", state))
        adam_state.restore_moments(self.optimiser, self.network, state)
        for average, name in ((self.biased, "biased"), (self.debiased, "debiased")):
            average.values.copy_(state[name])
            average.visited.copy_(state["visited"])
