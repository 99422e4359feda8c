from __future__ import annotations

import numpy as np
import pytest

from traceloc.ranking.logit import Choices, Problem


def random_problem(seed=0, *, signs=None, precision=1.0):
    random = np.random.default_rng(seed)
    systems = []
    for _ in range(2):
        lengths = random.integers(1, 6, size=5)
        features = [random.normal(size=(n, 3)) for n in lengths]
        targets = []
        for n in lengths:
            target = random.random(n) + 0.1
            targets.append(target / target.sum())
        systems.append(Choices.stack(features, targets, random.random(5) + 0.5))
    prior = random.normal(size=3)
    return Problem(tuple(systems), prior, np.full(3, precision), signs)


def test_gradient_and_hessian_are_those_of_the_value():
    problem = random_problem()
    size = 3
    theta = np.random.default_rng(1).normal(size=size)
    _, gradient, hessian = problem.derivatives(theta)
    for i in range(size):
        step = np.zeros(size)
        step[i] = 1e-5
        up, down = problem.derivatives(theta + step), problem.derivatives(theta - step)
        assert gradient[i] == pytest.approx((up[0] - down[0]) / 2e-5, abs=1e-6)
        assert hessian[i] == pytest.approx((up[1] - down[1]) / 2e-5, abs=1e-5)


def test_the_value_is_the_naive_sum():
    problem = random_problem()
    theta = np.array([0.3, -0.7, 1.1])
    value = 0.5 * float(((theta - problem.prior) ** 2).sum())
    for choices in problem.choices:
        ends = [*choices.starts[1:], len(choices.target)]
        for start, end, weight in zip(choices.starts, ends, choices.weight, strict=True):
            scores = choices.features[start:end] @ theta
            p = np.exp(scores) / np.exp(scores).sum()
            value -= weight * float(choices.target[start:end] @ np.log(p))
    assert problem.derivatives(theta)[0] == pytest.approx(value)


def test_the_solution_is_a_minimum_whatever_the_start():
    problem = random_problem()
    one = problem.solve()
    other = problem.solve(np.full(3, 5.0))
    assert one.slopes == pytest.approx(other.slopes, abs=1e-6)
    assert np.abs(problem.derivatives(one.slopes)[1]).max() < 1e-5


def test_scipy_finds_the_same_minimum():
    optimize = pytest.importorskip("scipy.optimize")
    problem = random_problem(signs=np.array([1, -1, 0]))
    bounds = [(0, None), (None, 0), (None, None)]
    found = optimize.minimize(
        lambda t: problem.derivatives(t)[:2], np.zeros(3), jac=True, bounds=bounds, tol=1e-12
    )
    assert problem.solve().value == pytest.approx(found.fun, abs=1e-7)
    assert problem.solve().slopes == pytest.approx(found.x, abs=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_signs_bind(seed):
    signs = np.array([1, -1, 1])
    slopes = random_problem(seed, signs=signs).solve().slopes
    assert (slopes * signs >= 0).all()


def test_a_strong_prior_keeps_its_mean():
    problem = random_problem(precision=1e9)
    assert problem.solve().slopes == pytest.approx(problem.prior, abs=1e-6)


def test_huge_features_do_not_break_it():
    choices = Choices.stack([np.array([[1e6], [-1e6], [0.0]])], [np.array([0.0, 1.0, 0.0])], [1.0])
    problem = Problem((choices,), np.zeros(1), np.ones(1))
    assert np.isfinite(problem.solve().slopes).all()
    assert problem.solve().slopes[0] < 0
