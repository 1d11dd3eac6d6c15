import numpy as np
import pytest
from scipy.optimize import minimize

from repro.training.objectives import l1_logistic


def problem(count, features, seed=0):
    """Standardised features of which three say something about the class."""
    random = np.random.default_rng(seed)
    made = random.normal(size=(count, features))
    positive = made[:, :3].sum(axis=1) + random.normal(size=count) > 0.5
    return (made - made.mean(axis=0)) / made.std(axis=0), positive


def objective(weights, intercept, features, positive, c):
    margins = np.where(positive, 1, -1) * (features @ weights + intercept)
    return np.abs(weights).sum() + c * np.logaddexp(0, -margins).sum()


def minimum(features, positive, c):
    """The minimum by L-BFGS-B, with each weight as the difference of two that are not negative."""
    width = features.shape[1]

    def split(at):
        weights, intercept = at[:width] - at[width:-1], at[-1]
        signs = np.where(positive, 1, -1)
        margins = signs * (features @ weights + intercept)
        pull = -c * signs * np.exp(-np.logaddexp(0, margins))
        slope = features.T @ pull
        value = at[:-1].sum() + c * np.logaddexp(0, -margins).sum()
        return value, np.concatenate([1 + slope, 1 - slope, [pull.sum()]])

    bounds = [(0, None)] * (2 * width) + [(None, None)]
    options = {"maxiter": 10_000, "maxfun": 100_000, "ftol": 1e-15, "gtol": 1e-9}
    found = minimize(split, np.zeros(2 * width + 1), jac=True, bounds=bounds, options=options)
    return float(found.fun)


@pytest.mark.parametrize("c", [1.0, 0.1, 0.03])
@pytest.mark.parametrize("shape", [(60, 20), (30, 100)])
def test_it_reaches_the_minimum_that_scipy_finds(shape, c):
    """With fewer and with more features than images."""
    features, positive = problem(*shape)
    found = l1_logistic.fit(features, positive, c=c)
    reached = objective(found.weights, found.intercept, features, positive, c)
    assert reached == pytest.approx(minimum(features, positive, c), rel=1e-6)


def test_a_strong_penalty_leaves_the_intercept_alone():
    """Without weights the intercept is the log odds of the classes: it is not penalised."""
    features, positive = problem(40, 5)
    found = l1_logistic.fit(features, positive, c=1e-4)
    assert not found.weights.any()
    odds = positive.sum() / (~positive).sum()
    assert found.intercept == pytest.approx(np.log(odds), abs=1e-3)


def test_shifted_features_shift_the_intercept_alone():
    """A penalised intercept, as liblinear's, would fall far short."""
    features, positive = problem(60, 5)
    plain = l1_logistic.fit(features, positive, c=1.0)
    shifted = l1_logistic.fit(features - 3, positive, c=1.0)
    assert shifted.weights == pytest.approx(plain.weights, abs=1e-3)
    assert shifted.intercept == pytest.approx(plain.intercept + 3 * plain.weights.sum(), abs=1e-2)


def test_one_class_alone_is_refused():
    """The intercept would be infinite."""
    features, _ = problem(10, 2)
    with pytest.raises(ValueError, match="both classes"):
        l1_logistic.fit(features, np.ones(10, bool), c=1.0)


def test_it_agrees_with_scikit_learn():
    """Where it is installed; its liblinear penalises the intercept, which a scale makes small."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    features, positive = problem(60, 20)
    theirs = linear_model.LogisticRegression(
        l1_ratio=1.0, C=0.3, solver="liblinear", intercept_scaling=1_000, tol=1e-8, max_iter=10_000
    ).fit(features, positive)
    ours = l1_logistic.fit(features, positive, c=0.3)
    assert ours.weights == pytest.approx(theirs.coef_[0], abs=1e-3)
