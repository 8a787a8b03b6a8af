"""Which points of a search space are tried, in which order.

Random points and grids are written here, since a distribution's inverse is all that they need and
the same seed then gives the same points with any version of any library. Bayesian ones are
optuna's (a tree-structured Parzen estimator).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from amlocal.local.sweep.distributions import quantized, value_at
from amlocal.plan import Choice, Distributed, Scalar, Sweep, Uniform

if TYPE_CHECKING:
    import optuna

Point = dict[str, Scalar]

#: Draws without a new point after which a search space counts as exhausted.
_PATIENCE = 1000
_SEED_BYTES = 4


class Sampler(Protocol):
    """Chooses points."""

    def ask(self) -> Point | None:
        """Return the next point, or None where there is none left."""

    def tell(self, point: Mapping[str, Scalar], value: float | None) -> None:
        """Take what a point came to; None where it came to nothing."""


def make_sampler(sweep: Sweep, known: Iterable[Mapping[str, Scalar]] = ()) -> Sampler:
    """Return the sampler of a sweep; the same sweep gives the same points.

    Args:
        sweep: The sweep.
        known: Points that were tried before, and cost nothing to try again. A bayesian sampler
            learns from them first; the others come to the same points anyway.
    """
    if sweep.sampling.type == "grid":
        return _Sequence(_grid(sweep))
    if sweep.sampling.type == "bayesian":
        return _Bayesian(sweep, known)
    return _Sequence(_distinct(_random(sweep)))


def seed_of(sweep: Sweep) -> int:
    """Return the seed that a sweep gives, else one that its search space and goal decide."""
    if sweep.sampling.seed is not None:
        return sweep.sampling.seed
    facts = [json.loads(sweep.objective.to_json()), *_described(sweep)]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).digest()
    return int.from_bytes(digest[:_SEED_BYTES], "big")


def _described(sweep: Sweep) -> list[Any]:
    return [[name, json.loads(distribution.to_json())] for name, distribution in _space(sweep)]


def _space(sweep: Sweep) -> list[tuple[str, Distributed]]:
    """Return the search space in an order of its own: that of a file is lost with its plan."""
    return sorted(sweep.search_space.items())


class _Sequence:
    """Points that do not depend on what earlier ones came to."""

    def __init__(self, points: Iterator[Point]) -> None:
        self._points = points

    def ask(self) -> Point | None:
        return next(self._points, None)

    def tell(self, point: Mapping[str, Scalar], value: float | None) -> None:
        """Take nothing from it."""


def _grid(sweep: Sweep) -> Iterator[Point]:
    """Yield every combination, the parameter whose name comes last changing fastest."""
    names = [name for name, _ in _space(sweep)]
    values = [found.values for _, found in _space(sweep) if isinstance(found, Choice)]
    for combination in itertools.product(*values):
        yield dict(zip(names, combination, strict=True))


def _random(sweep: Sweep) -> Iterator[Point]:
    base = sweep.sampling.logbase or math.e
    space = _space(sweep)
    for position in _positions(sweep):
        yield {
            name: value_at(distribution, coordinate, base)
            for (name, distribution), coordinate in zip(space, position, strict=True)
        }


def _positions(sweep: Sweep) -> Iterator[Sequence[float]]:
    """Yield points of the unit cube: independent ones, or a scrambled Sobol sequence."""
    count, seed = len(sweep.search_space), seed_of(sweep)
    if sweep.sampling.rule == "sobol":
        from scipy.stats import qmc  # takes long to import, and only this rule needs it

        sequence = qmc.Sobol(count, scramble=True, seed=seed)
        while True:
            (position,) = sequence.random(1).tolist()
            yield position
    source = random.Random(seed)  # noqa: S311 - nothing here is secret
    while True:
        yield [source.random() for _ in range(count)]


def _distinct(points: Iterator[Point]) -> Iterator[Point]:
    """Yield each point once: a second try would tell nothing that the first has not."""
    seen: set[tuple[Scalar, ...]] = set()
    misses = 0
    for point in points:
        key = tuple(point.values())
        misses = misses + 1 if key in seen else 0
        if misses > _PATIENCE:
            return
        if not misses:
            seen.add(key)
            yield point


class _Bayesian:
    """Points that optuna's TPE sampler chooses from what earlier ones came to."""

    def __init__(self, sweep: Sweep, known: Iterable[Mapping[str, Scalar]]) -> None:
        import optuna  # half a second that only this algorithm pays

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space = dict(_space(sweep))
        self._distributions = _optuna_distributions(sweep)
        self._asked: dict[tuple[Scalar, ...], optuna.Trial] = {}
        self._study = optuna.create_study(
            sampler=optuna.samplers.TPESampler(seed=seed_of(sweep)),
            direction=sweep.objective.goal,
        )
        for point in known:
            self._study.enqueue_trial(dict(point))
        self._fail = optuna.trial.TrialState.FAIL

    def ask(self) -> Point | None:
        for _ in range(_PATIENCE):
            trial = self._study.ask(self._distributions)
            point = {name: self._value(name, trial.params[name]) for name in self._space}
            key = tuple(point.values())
            if key not in self._asked:
                self._asked[key] = trial
                return point
            self._study.tell(trial, state=self._fail)
        return None

    def tell(self, point: Mapping[str, Scalar], value: float | None) -> None:
        trial = self._asked[tuple(point.values())]
        if value is None:
            self._study.tell(trial, state=self._fail)
        else:
            self._study.tell(trial, value)

    def _value(self, name: str, found: Any) -> Scalar:
        distribution = self._space[name]
        if isinstance(distribution, Uniform) and distribution.q is not None:
            return quantized(found, distribution.q)
        value: Scalar = found
        return value


def _optuna_distributions(sweep: Sweep) -> dict[str, Any]:
    """Return optuna's form of the distributions that Azure's bayesian sampling takes.

    A `quniform` is searched as a `uniform` whose values are rounded when they are used, since
    optuna's own steps begin at the least value and not at 0.
    """
    from optuna.distributions import CategoricalDistribution, FloatDistribution  # as above

    found: dict[str, Any] = {}
    for name, distribution in _space(sweep):
        if isinstance(distribution, Choice):
            found[name] = CategoricalDistribution(distribution.values)
        elif isinstance(distribution, Uniform):
            found[name] = FloatDistribution(distribution.min_value, distribution.max_value)
    return found
