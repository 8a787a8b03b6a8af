"""Which learner is tried next, with searchers that are ordinary objects."""

import pytest

from automlkit.learners import LEARNERS
from automlkit.search.proposals import Candidate, Proposals, flaml_searcher


class Counting:
    """Suggests 1, 2, 3, ... and remembers what it was told."""

    def __init__(self, last=100):
        self.given, self.last, self.told = 0, last, []

    def suggest(self, trial_id):
        self.given += 1
        return {"x": min(self.given, self.last)}

    def on_trial_complete(self, trial_id, result):
        self.told.append((result["config"]["x"], result["loss"]))


def candidate(name, portfolio=({"x": 0},), space=True):
    return Candidate(name, portfolio, lambda: {"x": {"domain": None}} if space else {})


def proposals(*candidates, is_timed=False, searcher=None, seed=0):
    made = searcher or Counting()
    return Proposals(candidates, lambda *_: made, seed=seed, is_timed=is_timed)


def run(found, losses, count, seconds=1.0):
    """Try `count` times, the loss told by `losses(algorithm, config)`; return what was tried."""
    tried = []
    for number in range(count):
        one = found.next(number, float("inf"))
        if one is None:
            break
        tried.append((one.algorithm, one.config["x"]))
        found.tell(number, one.algorithm, losses(one.algorithm, one.config), seconds)
    return tried


def test_each_learner_is_tried_once_the_quick_ones_first():
    found = proposals(candidate("KNN"), candidate("RandomForest"), candidate("LightGBM"))
    tried = run(found, lambda *_: 1.0, 3)
    assert [name for name, _ in tried] == ["LightGBM", "RandomForest", "KNN"]


def test_the_portfolio_comes_before_the_searcher():
    found = proposals(candidate("A", ({"x": -1}, {"x": -2})))
    assert [x for _, x in run(found, lambda *_: 1.0, 4)] == [-1, -2, 1, 2]


def test_the_searcher_knows_the_portfolio_and_is_told_of_its_points():
    searcher, seen = Counting(), []

    def make(space, points, losses):
        seen.append((points, losses))
        return searcher

    found = Proposals([candidate("A", ({"x": 5},))], make, seed=0, is_timed=False)
    run(found, lambda _, config: float(config["x"]), 3)
    assert seen == [([{"x": 5}], [5.0])]
    assert searcher.told == [(1, 1.0), (2, 2.0)]


def test_a_point_of_the_portfolio_that_ends_late_is_not_the_searchers():
    searcher = Counting()
    found = proposals(candidate("A", ({"x": -1}, {"z": -2})), searcher=searcher)
    for number in (0, 1):
        found.next(number, float("inf"))
    found.tell(0, "A", 1.0, 1.0)
    suggested = found.next(2, float("inf"))
    assert suggested is not None
    found.tell(1, "A", 2.0, 1.0)
    found.tell(2, "A", 3.0, 1.0)
    assert searcher.told == [(1, 3.0)]


def test_a_promising_learner_is_tried_more_often():
    searchers = {}

    def make(space, points, losses):
        return searchers.setdefault(len(searchers), Counting())

    found = Proposals([candidate("Good"), candidate("Bad")], make, seed=0, is_timed=False)
    losses = {"Good": lambda x: 1 / (1 + x), "Bad": lambda x: 3.0}
    tried = run(found, lambda name, config: losses[name](config["x"]), 60)
    counts = {name: sum(one == name for one, _ in tried) for name in losses}
    assert counts["Good"] > 3 * counts["Bad"]


def test_learners_that_only_failed_are_left_alone():
    found = proposals(candidate("A"), candidate("Broken", ({"x": 0},)))
    tried = run(found, lambda name, _: None if name == "Broken" else 1.0, 20)
    assert [name for name, _ in tried].count("Broken") == 1


def test_a_learner_without_space_ends_with_its_portfolio():
    found = proposals(candidate("A", ({"x": 1}, {"x": 2}), space=False))
    assert [x for _, x in run(found, lambda *_: 1.0, 5)] == [1, 2]


def test_a_searcher_that_repeats_itself_is_exhausted():
    found = proposals(candidate("A"), searcher=Counting(last=2))
    assert [x for _, x in run(found, lambda *_: 1.0, 10)] == [0, 1, 2]


def test_what_took_longer_than_the_time_left_is_passed_over():
    found = proposals(candidate("Slow"), candidate("Quick"), is_timed=True)
    for number, seconds in enumerate((50.0, 1.0)):
        one = found.next(number, 100.0)
        found.tell(number, one.algorithm, 1.0, seconds)
    assert {found.next(number, 10.0).algorithm for number in range(2, 6)} == {"Quick"}
    assert found.next(9, 0.5) is None


def test_known_trials_are_not_proposed_again():
    found = proposals(candidate("A", ({"x": -1}, {"x": -2})))
    found.recall("A", {"x": -1}, 1.0, 2.0)
    found.recall("Gone", {"x": -1}, 1.0, 2.0)
    assert [x for _, x in run(found, lambda *_: 1.0, 2)] == [-2, 1]


def test_equal_seeds_give_equal_proposals():
    def tried(seed):
        found = proposals(candidate("A"), candidate("B"), seed=seed)
        return run(found, lambda name, config: (len(name) + config["x"]) % 3, 15)

    assert tried(4) == tried(4)


def test_what_the_space_does_not_tune_stays_as_in_the_best():
    found = proposals(candidate("A", ({"x": 0, "fixed": "a"}, {"x": 9, "fixed": "b"})))
    run(found, lambda _, config: -config["x"], 2)
    assert found.next(2, 1.0).config == {"x": 1, "fixed": "b"}


@pytest.mark.filterwarnings("ignore")  # FLAML's own libraries warn when they are imported
def test_flamls_searcher_comes_near_the_minimum():
    from flaml import tune

    space = {"x": {"domain": tune.loguniform(1e-3, 10.0), "init_value": 5.0}}
    made = Proposals(
        [Candidate("A", ({"x": 5.0},), lambda: space)],
        flaml_searcher(0, is_timed=False),
        seed=0,
        is_timed=False,
    )
    tried = run(made, lambda _, config: abs(config["x"] - 0.5), 40)
    assert min(abs(x - 0.5) for _, x in tried) < 0.3
    assert len({x for _, x in tried}) == 40


@pytest.mark.filterwarnings("ignore")  # as above
@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("name", sorted(LEARNERS))
def test_flamls_searcher_takes_every_learners_portfolio(name, task):
    learner = LEARNERS[name]
    if task not in learner.tasks:
        pytest.skip("of the other task")
    portfolio = learner.portfolio(task, 300, [], ["a", "b"])
    one = Candidate(name, portfolio, lambda: learner.space(task, 300))
    found = Proposals([one], flaml_searcher(0, is_timed=True), seed=0, is_timed=True)
    for number in range(len(portfolio) + 3):
        proposal = found.next(number, 100.0)
        if proposal is None:
            assert not one.space() or number >= len(portfolio)
            return
        found.tell(number, name, 1.0 / (1 + number), 1.0)
