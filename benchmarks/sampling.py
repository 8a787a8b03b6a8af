"""How good the points of a bayesian sweep are, on three functions whose least values are known.

The sampler that a sweep uses is asked and told directly, and optuna's TPE sampler with its
defaults does the same number of trials beside it, from the same seeds: so what differs is the
sampler's doing, and not chance. What is compared is the regret: how far the best value is above
the least there is.

The functions, and their least values, are those of S. Surjanovic and D. Bingham, "Virtual Library
of Simulation Experiments: Test Functions and Datasets" (Simon Fraser University): Branin, Hartmann
in six dimensions, and Rosenbrock in four.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import optuna
from comparison import Goal

from amlocal.local.sweep.sampling import make_sampler
from amlocal.plan import Objective, Sampling, Sweep, Uniform

TRIALS = 100
#: The sweep's median regret may be at most this many times that of plain TPE.
MOST_REGRET = 1.0

_A = (
    (10.0, 3.0, 17.0, 3.5, 1.7, 8.0),
    (0.05, 10.0, 17.0, 0.1, 8.0, 14.0),
    (3.0, 3.5, 1.7, 10.0, 17.0, 8.0),
    (17.0, 8.0, 0.05, 10.0, 0.1, 14.0),
)
_P = (
    (0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886),
    (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
    (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650),
    (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381),
)
_ALPHA = (1.0, 1.2, 3.0, 3.2)


def branin(x: Sequence[float]) -> float:
    """Return Branin's function of two variables."""
    first, second = x
    curve = second - 5.1 / (4 * math.pi**2) * first**2 + 5 / math.pi * first - 6
    return curve**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(first) + 10


def hartmann6(x: Sequence[float]) -> float:
    """Return Hartmann's function of six variables."""
    total = 0.0
    for alpha, widths, centre in zip(_ALPHA, _A, _P, strict=True):
        away = sum(a * (v - p) ** 2 for a, v, p in zip(widths, x, centre, strict=True))
        total -= alpha * math.exp(-away)
    return total


def rosenbrock(x: Sequence[float]) -> float:
    """Return Rosenbrock's function of any number of variables."""
    pairs = itertools.pairwise(x)
    return sum(100 * (after - before**2) ** 2 + (before - 1) ** 2 for before, after in pairs)


@dataclass(frozen=True)
class Problem:
    """A function to be minimised.

    Attributes:
        name: What it is called.
        function: The function.
        bounds: Of each variable.
        least: Its least value.
    """

    name: str
    function: Callable[[Sequence[float]], float]
    bounds: tuple[tuple[float, float], ...]
    least: float

    def space(self) -> dict[str, tuple[float, float]]:
        """Return the bounds by the variables' names."""
        return {f"x{number}": bounds for number, bounds in enumerate(self.bounds)}

    def regret(self, points: Sequence[Mapping[str, float]]) -> float:
        """Return how far the best of some points is above the least value."""
        return min(self.function([point[name] for name in self.space()]) for point in points) - (
            self.least
        )


PROBLEMS = (
    Problem("branin", branin, ((-5.0, 10.0), (0.0, 15.0)), 0.397887),
    Problem("hartmann6", hartmann6, ((0.0, 1.0),) * 6, -3.32237),
    Problem("rosenbrock4", rosenbrock, ((-5.0, 10.0),) * 4, 0.0),
)


@dataclass(slots=True)
class Sampled:
    """Regrets after all trials, one of each seed.

    Attributes:
        problem: Name of the function.
        sweep: Of the sweep's sampler.
        plain: Of optuna's TPE sampler with its defaults.
    """

    problem: str
    sweep: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)

    def goal(self) -> Goal:
        """Return what was to be reached: the median regret at most that of plain TPE."""
        ratio = statistics.median(self.sweep) / statistics.median(self.plain)
        return Goal(f"{self.problem}: regret of the sweep / plain TPE", ratio, MOST_REGRET)


def by_sweep(problem: Problem, trials: int, seed: int) -> float:
    """Return the regret of a bayesian sweep."""
    sweep = Sweep(
        search_space={name: Uniform(low, high) for name, (low, high) in problem.space().items()},
        objective=Objective("minimize", "loss"),
        sampling=Sampling("bayesian", seed=seed),
        max_total_trials=trials,
    )
    sampler = make_sampler(sweep)
    points: list[dict[str, float]] = []
    for _ in range(trials):
        point = sampler.ask()
        if point is None:
            raise RuntimeError("the sampler has no further point of a continuous space")
        points.append({name: float(value) for name, value in point.items()})
        sampler.tell(point, problem.function([points[-1][name] for name in problem.space()]))
    return problem.regret(points)


def by_plain_tpe(problem: Problem, trials: int, seed: int) -> float:
    """Return the regret of optuna's TPE sampler with its defaults."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))

    def objective(trial: optuna.Trial) -> float:
        return problem.function(
            [trial.suggest_float(name, *bounds) for name, bounds in problem.space().items()]
        )

    study.optimize(objective, n_trials=trials)
    return problem.regret([trial.params for trial in study.trials])


def measure(trials: int, seeds: int) -> list[Sampled]:
    """Return the regrets of both samplers on every function."""
    found = []
    for problem in PROBLEMS:
        sampled = Sampled(problem.name)
        for seed in range(seeds):
            sampled.sweep.append(by_sweep(problem, trials, seed))
            sampled.plain.append(by_plain_tpe(problem, trials, seed))
        found.append(sampled)
    return found


def text(found: Sequence[Sampled]) -> str:
    """Return the regrets as lines."""
    lines = [f"{'median regret':<20}{'sweep':>10}{'plain TPE':>11}{'ratio':>8}{'at most':>9}"]
    for sampled in found:
        goal = sampled.goal()
        sweep, plain = statistics.median(sampled.sweep), statistics.median(sampled.plain)
        verdict = "met" if goal.is_met else "missed"
        ratios = f"{goal.ratio:>8.3f}{goal.limit:>9.3f}  {verdict}"
        lines.append(f"{sampled.problem:<20}{sweep:>10.4g}{plain:>11.4g}{ratios}")
    return "\n".join(lines)
