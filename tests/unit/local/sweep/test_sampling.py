from __future__ import annotations

import itertools
from typing import Any

import pytest

from amlocal.local.sweep.sampling import Point, Sampler, make_sampler, seed_of
from amlocal.plan import (
    Choice,
    Distributed,
    Objective,
    Randint,
    Sampling,
    Scalar,
    Sweep,
    Uniform,
)

MINIMIZE = Objective(goal="minimize", primary_metric="loss")
SPACE: dict[str, Distributed] = {
    "rate": Uniform(min_value=-5, max_value=0, is_log=True),
    "kind": Choice(values=("a", "b")),
    "depth": Randint(upper=10),
}


def sweep(space: dict[str, Distributed] | None = None, **sampling: Any) -> Sweep:
    return Sweep(search_space=space or SPACE, objective=MINIMIZE, sampling=Sampling(**sampling))


def points(sampler: Sampler, count: int) -> list[Point]:
    return [point for point in (sampler.ask() for _ in range(count)) if point is not None]


@pytest.mark.parametrize("rule", ["random", "sobol"])
def test_the_same_seed_gives_the_same_points(rule: str) -> None:
    first = points(make_sampler(sweep(seed=3, rule=rule)), 8)
    assert first == points(make_sampler(sweep(seed=3, rule=rule)), 8)
    assert first != points(make_sampler(sweep(seed=4, rule=rule)), 8)
    assert first[0].keys() == SPACE.keys()


def test_without_a_seed_the_sweep_itself_is_the_seed() -> None:
    assert points(make_sampler(sweep()), 5) == points(make_sampler(sweep()), 5)
    other = Sweep(search_space={"x": Randint(upper=9)}, objective=MINIMIZE)
    assert seed_of(other) != seed_of(sweep())


def test_the_order_of_the_search_space_changes_nothing() -> None:
    """A plan that comes from the cache has its keys sorted."""
    for algorithm in ("random", "bayesian"):
        backwards = dict(reversed(BAYES.items()))
        first = points(make_sampler(sweep(BAYES, type=algorithm)), 4)
        assert points(make_sampler(sweep(backwards, type=algorithm)), 4) == first


def test_more_trials_begin_with_the_same_points() -> None:
    assert points(make_sampler(sweep()), 9)[:4] == points(make_sampler(sweep()), 4)


def test_sobol_points_cover_the_space_evenly() -> None:
    """Each half of each half holds as many of a power of two."""
    space: dict[str, Distributed] = {
        "x": Uniform(min_value=0, max_value=4),
        "y": Uniform(min_value=0, max_value=4),
    }
    found = points(make_sampler(sweep(space, rule="sobol", seed=1)), 16)
    cells = [(int(float(point["x"])), int(float(point["y"]))) for point in found]
    assert sorted(cells) == list(itertools.product(range(4), range(4)))


def test_logbase_is_the_base_of_logarithmic_distributions() -> None:
    space: dict[str, Distributed] = {"x": Uniform(min_value=-3, max_value=-1, is_log=True)}
    found = points(make_sampler(sweep(space, logbase=10.0)), 50)
    assert all(1e-3 <= float(point["x"]) <= 1e-1 for point in found)
    assert min(float(point["x"]) for point in found) < 0.04 < 0.05


def test_a_point_is_tried_once() -> None:
    space: dict[str, Distributed] = {"a": Choice(values=(1, 2)), "b": Randint(upper=3)}
    found = points(make_sampler(sweep(space)), 20)
    assert len(found) == 6
    assert len({tuple(point.values()) for point in found}) == 6


def test_a_grid_is_every_combination_once() -> None:
    space: dict[str, Distributed] = {
        "layers": Choice(values=(1, 2, 3)),
        "batch": Choice(values=(16, 32)),
    }
    sampler = make_sampler(sweep(space, type="grid"))
    found = points(sampler, 10)
    assert [(point["batch"], point["layers"]) for point in found] == [
        (16, 1), (16, 2), (16, 3), (32, 1), (32, 2), (32, 3),
    ]  # fmt: skip
    assert sampler.ask() is None


def loss(point: dict[str, Scalar]) -> float:
    return (float(point["x"]) - 0.3) ** 2 + (0.0 if point["kind"] == "b" else 0.5)


BAYES: dict[str, Distributed] = {
    "x": Uniform(min_value=-2, max_value=2),
    "kind": Choice(values=("a", "b", "c")),
    "n": Uniform(min_value=1, max_value=9, q=2),
}


def run(sampler: Sampler, count: int) -> list[Point]:
    found = []
    for _ in range(count):
        point = sampler.ask()
        assert point is not None
        found.append(point)
        sampler.tell(point, loss(point))
    return found


def test_bayesian_sampling_goes_where_it_was_good() -> None:
    found = run(make_sampler(sweep(BAYES, type="bayesian")), 40)
    late = found[-15:]
    assert sum(point["kind"] == "b" for point in late) >= 12
    assert min(loss(point) for point in found) < 0.01
    assert {point["n"] for point in found} <= {0, 2, 4, 6, 8, 10}


def test_bayesian_sampling_is_the_same_each_time() -> None:
    sampler, again = (make_sampler(sweep(BAYES, type="bayesian")) for _ in range(2))
    assert run(sampler, 15) == run(again, 15)


def test_bayesian_sampling_begins_with_what_is_known() -> None:
    known: list[Point] = [{"x": 0.3, "kind": "b", "n": 4}, {"x": -1.0, "kind": "a", "n": 2}]
    found = run(make_sampler(sweep(BAYES, type="bayesian"), known), 5)
    assert found[:2] == known
    assert len(found) == 5


def test_bayesian_sampling_lives_with_points_that_came_to_nothing() -> None:
    sampler = make_sampler(sweep(BAYES, type="bayesian"))
    for _ in range(12):
        point = sampler.ask()
        assert point is not None
        sampler.tell(point, None)
    assert len(run(sampler, 3)) == 3


def test_a_bayesian_search_of_few_points_ends() -> None:
    space: dict[str, Distributed] = {"a": Choice(values=(1, 2)), "b": Choice(values=("x", "y"))}
    sampler = make_sampler(sweep(space, type="bayesian"))
    found = []
    while (point := sampler.ask()) is not None:
        found.append(tuple(point.values()))
        sampler.tell(point, float(len(found)))
    assert sorted(found) == [(1, "x"), (1, "y"), (2, "x"), (2, "y")]
