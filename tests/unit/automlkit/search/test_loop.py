"""Trials on worker processes: limits, failures, ensembles' needs, going on after an end."""

import json
import time

import pytest

from automlkit.events import Events
from automlkit.request import Limits
from automlkit.search.budget import Budget
from automlkit.search.loop import Loop, Plan
from automlkit.search.proposals import Candidate, Proposals
from automlkit.search.trials import Store, Trial

METRIC = "normalized_root_mean_squared_error"


@pytest.fixture
def search(fakes, make_pool, tmp_path):
    """Run a search of one fake learner's portfolio; return loop, reason, and events."""

    def run(portfolio, seconds=None, known=(), workers=1, rows_a_fold=20, **limits):
        plan = plan_of(Limits(**limits), cores=workers, rows_a_fold=rows_a_fold)
        pool = make_pool(fakes.context(), size=plan.workers)
        events = Events(tmp_path / "events.jsonl")
        store = Store(tmp_path / "state", "key")
        budget = Budget(seconds, time.monotonic())
        loop = Loop(plan, budget, pool, store, events, list(known))
        candidate = Candidate("Fake", portfolio, dict)
        proposals = Proposals([candidate], None, seed=0, is_timed=seconds is not None)
        reason = loop.search(proposals, 1.0)
        events.close()
        told = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
        return loop, reason, told

    return run


def plan_of(limits=None, cores=1, folds=3, **more):
    facts = {"rows_a_fold": 20.0, **more}
    return Plan(limits or Limits(), METRIC, False, folds, cores=cores, refit_share=1.5, **facts)


def factors(*values):
    return [{"factor": value} for value in values]


def test_all_of_a_portfolio_is_tried_and_told(search):
    loop, reason, told = search(factors(0.5, 1.0, 0.8))
    assert reason == "exhausted"
    assert [trial.number for trial in loop.completed] == [1, 2, 0]
    assert [event["event"] for event in told] == ["trial_started", "trial_ended"] * 3
    assert told[1]["status"] == "Completed"
    assert told[1]["score"] == told[1]["metrics"][METRIC]


def test_the_number_of_trials_is_bounded(search):
    loop, reason, _ = search(factors(0.5, 1.0, 0.8), max_trials=2)
    assert (len(loop.trials), reason) == (2, "max_trials")


def test_a_good_score_ends_the_search(search):
    _, reason, _ = search(factors(0.0, 1.0, 0.9), exit_score=0.5)
    assert reason == "exit_score"


def test_no_gain_ends_the_search(search):
    worse = [1.0 + number / 100 for number in range(40)]
    loop, reason, _ = search(factors(*worse))
    assert (len(loop.trials), reason) == (30, "early_termination")


def test_a_hopeless_trial_is_canceled_after_a_fold_of_many_rows(search):
    loop, _, _ = search(factors(*[1 + n / 100 for n in range(10)], 0.0, 1.05), rows_a_fold=5000)
    assert [one.status for one in loop.trials.values()][-2:] == ["Canceled", "Completed"]
    assert "ten others" in loop.trials[10].message
    assert loop.trials[10].seconds == 0


def test_a_failed_trial_harms_no_other(search):
    portfolio = [{"do": "raise"}, {"do": "crash"}, {"factor": 1.0}]
    loop, _, told = search(portfolio)
    assert [one.status for one in loop.trials.values()] == ["Failed", "Failed", "Completed"]
    ended = [event for event in told if event["event"] == "trial_ended"]
    assert ended[0]["message"] == "ValueError: no such thing"
    assert ended[0]["score"] is None
    assert "ended with code 9" in ended[1]["message"]


def test_a_hanging_trial_is_canceled_in_time(search):
    start = time.monotonic()
    loop, _, _ = search([{"factor": 1.0}, {"do": "hang"}, {"factor": 0.9}], trial_timeout_seconds=1)
    assert [one.status for one in loop.trials.values()] == ["Completed", "Canceled", "Completed"]
    assert time.monotonic() - start < 20


def test_the_search_ends_in_time(search):
    start = time.monotonic()
    _, reason, _ = search([{"do": "sleep", "seconds": 0.3 + n / 1e6} for n in range(99)], seconds=8)
    assert reason == "timeout"
    assert time.monotonic() - start < 8


def test_known_trials_count_and_are_told_as_known(search, tmp_path):
    first, _, _ = search(factors(0.5, 1.0), max_trials=2)
    known = Store(tmp_path / "state", "key").load()
    (tmp_path / "events.jsonl").unlink()
    loop, reason, told = search(factors(0.5, 1.0, 0.8), known=known, max_trials=3)
    assert [event.get("is_known") for event in told] == [None, True, None, True, None, False]
    assert reason == "max_trials"
    assert loop.trials[2].config == {"factor": 0.8}
    assert loop.trials[1].metrics == first.trials[1].metrics


def test_equal_seeds_give_equal_results(search, tmp_path):
    def scores():
        loop, _, _ = search(factors(0.5, 1.0, 0.8))
        return [trial.metrics for trial in loop.trials.values()]

    assert scores() == scores()


def test_folds_run_side_by_side(search):
    portfolio = [{"do": "sleep", "seconds": 1.0}]
    search(portfolio)
    start = time.monotonic()
    loop, _, _ = search(portfolio, workers=3)
    assert time.monotonic() - start < loop.trials[0].seconds


def test_cores_are_shared_between_trials_folds_and_threads():
    def shared(cores, folds, **limits):
        plan = plan_of(Limits(**limits), cores, folds)
        return plan.workers, plan.trial_workers, plan.threads(0)

    assert shared(2, 1) == (1, 1, 2)
    assert shared(2, 10) == (2, 2, 1)
    assert shared(8, 3) == (3, 3, 2)
    assert shared(8, 3, max_concurrent_trials=4) == (8, 2, 1)
    assert shared(4, 10, max_cores_per_trial=1) == (1, 1, 1)
    assert shared(2, 10, max_concurrent_trials=9) == (2, 1, 1)


def test_a_last_fold_that_is_alone_has_all_cores():
    assert [plan_of(cores=2).threads(fold) for fold in range(3)] == [1, 1, 2]
    assert [plan_of(cores=2, folds=4).threads(fold) for fold in range(4)] == [1, 1, 1, 1]


def test_a_refit_takes_longer_than_a_fold():
    trial = Trial(0, "Fake", {}, seconds=6.0)
    assert plan_of().fit_seconds(trial) == 3.0
    assert plan_of(folds=1).fit_seconds(trial) == 9.0
