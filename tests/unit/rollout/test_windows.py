"""What was done within a time, from counts that only grow."""

from __future__ import annotations

from amlocal.plan import DeploymentMetrics
from amlocal.rollout.windows import Window, increase, total


def counted(requests: int, failed: int = 0, **fields: int) -> DeploymentMetrics:
    return DeploymentMetrics(
        requests={"200": requests, "424": failed},
        latency={"0.1": requests, "+Inf": requests + failed},
        **fields,
    )


def test_the_increase_is_what_came_between_two_readings() -> None:
    step = increase(counted(10, 1, agreed=5), counted(30, 2, agreed=9, disagreed=1))
    assert step.requests == {"200": 20, "424": 1}
    assert step.latency == {"0.1": 20, "+Inf": 21}
    assert (step.agreed, step.disagreed) == (4, 1)


def test_counts_that_fall_began_anew() -> None:
    assert increase(counted(100), counted(7)) == counted(7)


def test_a_window_begins_with_its_first_reading_and_survives_a_new_start_of_the_counts() -> None:
    window = Window()
    for requests in (100, 110, 4, 9):
        window.add({"blue": counted(requests)})
    assert window.of("blue").requests["200"] == 10 + 4 + 5
    assert window.last("blue") == counted(9)
    assert window.of("green") == DeploymentMetrics()


def test_a_deployment_that_comes_later_counts_from_its_start() -> None:
    window = Window()
    window.add({"blue": counted(5)})
    window.add({"blue": counted(6), "green": counted(3)})
    window.add({"blue": counted(8)})
    assert window.of("green").requests["200"] == 3
    assert window.all_of(["blue", "green"]).requests["200"] == 3 + 3


def test_the_total_adds_every_count() -> None:
    both = total([counted(1, 2, agreed=3), counted(4, 5, disagreed=6)])
    assert both == DeploymentMetrics(
        requests={"200": 5, "424": 7},
        latency={"0.1": 5, "+Inf": 12},
        agreed=3,
        disagreed=6,
    )
