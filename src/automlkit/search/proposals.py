"""Which learner is tried next, and with which hyperparameters.

Each learner first gives its portfolio, then FLAML's CFO (Wu, Wang, Huang 2021: local search that
starts from what is cheap or known to be good). The learner is drawn by its estimated cost of an
improvement (Wang, Wu, Weimer, Zhu 2021, "FLAML: a fast and lightweight AutoML library", section
4.2), once each has been tried.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from automlkit.search.trials import plain

#: First tried first: what is quick and often best, so that a short search has something good.
FIRST = (
    "LightGBM",
    "LogisticRegression",
    "ElasticNet",
    "LinearSplines",
    "XGBoostClassifier",
    "XGBoostRegressor",
    "ExtremeRandomTrees",
    "GradientBoosting",
    "ExplainableBoosting",
    "RandomForest",
)
#: How often a searcher may give a point twice before it counts as having no further one.
PATIENCE = 30


class Searcher(Protocol):
    """The part of FLAML's searchers that is used."""

    def suggest(self, trial_id: str) -> Mapping[str, Any] | None:
        """Return hyperparameters, or None where it has none at the moment."""

    def on_trial_complete(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Take note of a result."""


class SearcherMaker(Protocol):
    """Makes a searcher of a space, knowing some points and their losses."""

    def __call__(
        self,
        space: Mapping[str, Mapping[str, Any]],
        points: Sequence[Mapping[str, Any]],
        losses: Sequence[float],
    ) -> Searcher:
        """Return a searcher."""


@dataclass(frozen=True)
class Candidate:
    """A learner as the search sees it.

    Attributes:
        name: Its name.
        portfolio: Configurations to try first.
        space: Gives FLAML's domains by hyperparameter, none for a learner with nothing to tune;
            asked late, since FLAML takes seconds to import.
    """

    name: str
    portfolio: Sequence[Mapping[str, Any]]
    space: Callable[[], Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True)
class Proposal:
    """What is tried next.

    Attributes:
        algorithm: The learner's name.
        config: Its hyperparameters.
        is_first: Whether it is the learner's first.
    """

    algorithm: str
    config: dict[str, Any]
    is_first: bool


@dataclass
class _Line:
    """One learner's line of trials."""

    candidate: Candidate
    waiting: list[dict[str, Any]]
    tried: list[tuple[dict[str, Any], float]] = field(default_factory=list)
    searcher: Searcher | None = None
    suggested: set[int] = field(default_factory=set)
    open: dict[int, dict[str, Any]] = field(default_factory=dict)
    started: int = 0
    is_exhausted: bool = False
    loss: float = float("inf")
    loss_before: float = float("inf")
    spent: float = 0.0
    spent_at_best: float = 0.0
    spent_at_best_before: float = 0.0
    last_cost: float = 0.0

    def cost_of_improvement(self, best: float) -> float:
        """Return the estimated cost until it is better than itself, or than the best of all."""
        own = max(
            self.spent - self.spent_at_best,
            self.spent_at_best - self.spent_at_best_before,
            self.last_cost,
            1e-9,
        )
        if self.loss == float("inf"):
            # Nothing but failures so far: hardly ever, and never instead of what works.
            return own * 1e6
        gap = self.loss - best
        if gap <= 0:
            return own
        gained = self.loss_before - self.loss
        if not 0 < gained < float("inf"):
            # It has never improved on itself: as if a tenth of the gap had been won so far.
            gained = gap / 10
        return max(own, 2 * gap * max(self.spent - self.spent_at_best_before, 1e-9) / gained)

    def tell_searcher(self, number: int, config: Mapping[str, Any], loss: float) -> None:
        """Tell the searcher of a point, in the names of its own space."""
        assert self.searcher is not None
        point = {name: config[name] for name in self.candidate.space()}
        self.searcher.on_trial_complete(
            str(number), {"loss": loss, "time_total_s": self.last_cost, "config": point}
        )

    def note(self, config: dict[str, Any], loss: float, cost: float) -> None:
        """Take note of a trial."""
        self.spent += cost
        self.last_cost = cost
        self.tried.append((config, loss))
        if loss < self.loss:
            self.loss_before, self.loss = self.loss, loss
            self.spent_at_best_before, self.spent_at_best = self.spent_at_best, self.spent


class Proposals:
    """All learners' lines of trials.

    Args:
        candidates: The learners.
        make_searcher: Makes the searcher that follows a portfolio.
        seed: Of the draws.
        is_timed: Whether seconds count as cost; without, each trial costs the same, so that two
            searches without a time limit are equal.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        make_searcher: SearcherMaker,
        *,
        seed: int,
        is_timed: bool,
    ) -> None:
        ranked = sorted(
            candidates, key=lambda one: FIRST.index(one.name) if one.name in FIRST else len(FIRST)
        )
        self._lines = {
            one.name: _Line(one, [dict(config) for config in one.portfolio]) for one in ranked
        }
        self._make_searcher = make_searcher
        self._random = random.Random(seed)  # noqa: S311 - no secrets here
        self._is_timed = is_timed

    def next(self, number: int, seconds_left: float) -> Proposal | None:
        """Return what is tried next, or None where nothing is left that fits the time.

        Args:
            number: The trial's number.
            seconds_left: For trials; a learner whose last trial took longer is passed over.
        """
        for line in self._lines.values():
            if not line.started and line.waiting:
                return self._start(line, number, line.waiting.pop(0))
        while lines := [one for one in self._lines.values() if self._may_go_on(one, seconds_left)]:
            line = self._drawn(lines)
            config = line.waiting.pop(0) if line.waiting else self._suggested(line, number)
            if config is not None:
                return self._start(line, number, config)
            line.is_exhausted = not line.open
            if line.open:
                return None
        return None

    def tell(self, number: int, algorithm: str, loss: float | None, seconds: float) -> None:
        """Take note of how a trial did; None where it failed."""
        line = self._lines[algorithm]
        config = line.open.pop(number)
        loss = float("inf") if loss is None else loss
        line.note(config, loss, seconds if self._is_timed else 1.0)
        if line.searcher is not None and number in line.suggested:
            # A searcher computes with losses: a failure is far off, not infinite.
            known = loss if loss < float("inf") else 1e9
            line.tell_searcher(number, config, known)

    def recall(self, algorithm: str, config: dict[str, Any], loss: float, seconds: float) -> None:
        """Take note of a trial of an earlier run of this search."""
        line = self._lines.get(algorithm)
        if line is not None:
            line.started += 1
            if config in line.waiting:
                line.waiting.remove(config)
            line.note(config, loss, seconds if self._is_timed else 1.0)

    def is_new(self, algorithm: str) -> bool:
        """Tell whether a learner has had no result yet."""
        return not self._lines[algorithm].tried

    def _start(self, line: _Line, number: int, config: dict[str, Any]) -> Proposal:
        line.open[number] = config
        line.started += 1
        return Proposal(line.candidate.name, config, is_first=line.started == 1)

    def _may_go_on(self, line: _Line, seconds_left: float) -> bool:
        has_result = any(loss < float("inf") for _, loss in line.tried)
        goes_on = bool(line.waiting) or has_result
        fits = not self._is_timed or line.last_cost <= seconds_left
        return goes_on and fits and not line.is_exhausted

    def _drawn(self, lines: list[_Line]) -> _Line:
        best = min(line.loss for line in self._lines.values())
        shares = [1 / line.cost_of_improvement(best) for line in lines]
        return self._random.choices(lines, weights=shares)[0]

    def _suggested(self, line: _Line, number: int) -> dict[str, Any] | None:
        space = line.candidate.space()
        if not space:
            return None
        good = [(config, loss) for config, loss in line.tried if loss < float("inf")]
        best = min(good, key=lambda one: one[1])[0]
        if line.searcher is None:
            points = [_point(config, space) for config, _ in good]
            line.searcher = self._make_searcher(space, points, [loss for _, loss in good])
        known = [config for config, _ in line.tried] + list(line.open.values())
        for _ in range(PATIENCE):
            found = line.searcher.suggest(str(number))
            if found is None:
                continue
            # What the portfolio sets and the space does not tune stays as in the best so far.
            config = {**best, **plain(found)}
            if config not in known:
                line.suggested.add(number)
                return config
            loss = next((loss for one, loss in line.tried if one == config), 1e9)
            line.tell_searcher(number, config, min(loss, 1e9))
        return None


def _point(config: Mapping[str, Any], space: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a configuration as a point of a learner's space."""
    point = {}
    for name, domain in space.items():
        start = domain.get("init_value", domain.get("low_cost_init_value"))
        value = config.get(name, start)
        # A portfolio may say in a word ("sqrt") what the space has as a number.
        is_of_space = isinstance(value, str) == isinstance(start, str)
        point[name] = value if is_of_space else start
    return point


def flaml_searcher(seed: int, *, is_timed: bool) -> SearcherMaker:
    """Return what makes FLAML's CFO."""

    def make(
        space: Mapping[str, Mapping[str, Any]],
        points: Sequence[Mapping[str, Any]],
        losses: Sequence[float],
    ) -> Searcher:
        # FLAML takes seconds to import, and most searches have begun before it is needed.
        from flaml.tune.searcher.blendsearch import CFO

        logging.getLogger("flaml").setLevel(logging.ERROR)
        cheap = {
            name: domain["low_cost_init_value"]
            for name, domain in space.items()
            if "low_cost_init_value" in domain
        }
        searcher = CFO(
            metric="loss",
            mode="min",
            space={name: domain["domain"] for name, domain in space.items()},
            low_cost_partial_config=cheap,
            points_to_evaluate=[dict(point) for point in points],
            evaluated_rewards=list(losses),
            cost_attr="time_total_s" if is_timed else None,
            seed=seed,
        )
        made: Searcher = searcher
        return made

    return make
