"""Traffic and mirroring by percent."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from amlocal.local.endpoints.router.routing import Mirrors, Split

DRAWS = 20_000


@pytest.mark.parametrize(
    "percents", [{"blue": 90, "green": 10}, {"blue": 1, "green": 99}, {"a": 20, "b": 30, "c": 50}]
)
def test_shares_are_those_of_the_table(percents: dict[str, int]) -> None:
    split, generator = Split(percents, percents), random.Random("adult")
    found = Counter(split.choose(generator) for _ in range(DRAWS))
    for name, percent in percents.items():
        # Four standard deviations of a binomial share.
        allowed = 4 * (percent / 100 * (1 - percent / 100) / DRAWS) ** 0.5
        assert found[name] / DRAWS == pytest.approx(percent / 100, abs=allowed)


def test_shares_hold_within_every_pattern_of_requests() -> None:
    # A client that sends every second request of its own kind gets both deployments all the same.
    split, generator = Split({"blue": 50, "green": 50}, {"blue", "green"}), random.Random(1)
    chosen = [split.choose(generator) for _ in range(DRAWS)]
    assert chosen[::2].count("blue") / (DRAWS / 2) == pytest.approx(0.5, abs=0.02)


def test_the_same_seed_gives_the_same_split() -> None:
    split = Split({"blue": 50, "green": 50}, {"blue", "green"})
    one, other = random.Random("adult"), random.Random("adult")
    assert [split.choose(one) for _ in range(99)] == [split.choose(other) for _ in range(99)]


def test_all_traffic_goes_to_one() -> None:
    split, generator = Split({"blue": 0, "green": 100}, {"blue", "green"}), random.Random(1)
    assert {split.choose(generator) for _ in range(100)} == {"green"}


@pytest.mark.parametrize("percents", [{}, {"blue": 0}, {"gone": 100}])
def test_nobody_answers_where_no_deployment_has_traffic(percents: dict[str, int]) -> None:
    assert Split(percents, {"blue"}).choose(random.Random(1)) is None


def test_copies_go_to_their_share_and_never_to_who_answers() -> None:
    mirrors, generator = Mirrors({"green": 25, "gone": 50}, {"blue", "green"}), random.Random(3)
    drawn = [mirrors.choose(generator, "blue") for _ in range(DRAWS)]
    assert set(drawn) == {(), ("green",)}
    assert drawn.count(("green",)) / DRAWS == pytest.approx(0.25, abs=0.0125)
    assert {mirrors.choose(generator, "green") for _ in range(100)} == {()}
