from __future__ import annotations

import math

import pytest
import sampling
from sampling import PROBLEMS, Sampled, branin, hartmann6, rosenbrock


def test_the_functions_are_least_where_the_literature_says() -> None:
    for place in ((-math.pi, 12.275), (math.pi, 2.275), (9.42478, 2.475)):
        assert branin(place) == pytest.approx(0.397887, abs=1e-5)
    place = (0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573)
    assert hartmann6(place) == pytest.approx(-3.32237, abs=1e-5)
    assert rosenbrock((1, 1, 1, 1)) == 0
    assert rosenbrock((0, 0)) == 1


def test_regret_is_that_of_the_best_point() -> None:
    problem = PROBLEMS[2]
    points = [dict.fromkeys(problem.space(), value) for value in (0.0, 1.0, 2.0)]
    assert problem.regret(points) == 0
    assert problem.regret(points[:1]) == 3


def test_both_samplers_do_their_trials() -> None:
    found = sampling.measure(trials=12, seeds=2)
    assert [each.problem for each in found] == ["branin", "hartmann6", "rosenbrock4"]
    for each in found:
        assert len(each.sweep) == len(each.plain) == 2
        assert min(each.sweep + each.plain) > 0
        assert each.goal().is_met
    assert sampling.text(found).count("  met") == 3


def test_a_sampler_that_is_worse_misses_its_goal() -> None:
    found = Sampled("branin", sweep=[2.0, 4.0, 3.0], plain=[2.0, 2.0, 2.0])
    assert found.goal().ratio == 1.5
    assert not found.goal().is_met
    assert sampling.text([found]).endswith("  missed")
