"""The delivered model: fitted again in time, or as a fold fitted it."""

import time

import cloudpickle
import pytest

from automlkit.errors import SearchError
from automlkit.request import Limits
from automlkit.search.budget import Budget
from automlkit.search.choice import Choice, Ensemble
from automlkit.search.deliver import Delivery
from automlkit.search.loop import Plan
from automlkit.search.selection import Verdict
from automlkit.search.trials import Store, Trial

PLAN = Plan(
    Limits(), "normalized_root_mean_squared_error", False, 3, 20.0, cores=2, refit_share=1.5
)


def trial(number, seconds=1.0, **config):
    return Trial(number, "Fake", config, "Completed", seconds=seconds)


def single(best, *others):
    return Choice(best, (), None, "why", 1, others)


def ensemble(name, *members, meta=None):
    made = Ensemble(name, members, meta, None, Verdict(1.0, 0.1))
    return Choice(members[0][0], (made,), made, "why", 1)


@pytest.fixture
def deliver(fakes, make_pool, tmp_path):
    """Deliver a choice on a small table of numbers; return model, notes, and the table."""

    def run(choice, seconds=None, kept=()):
        context = fakes.context()
        store = Store(tmp_path / "state", "key")
        for number, value in kept:
            model = fakes.Shrunken(1.0, None)
            model.mean_ = value
            store.model_file(number).write_bytes(cloudpickle.dumps(model))
        budget = Budget(seconds, time.monotonic())
        pool = make_pool(context, size=PLAN.workers)
        found = Delivery(PLAN, budget, pool, store, tmp_path, None).deliver(choice)
        return found.model.predict(context.table)[0], found.notes, context.target.mean()

    return run


@pytest.mark.slow
def test_the_best_trial_is_fitted_on_all_rows(deliver):
    value, notes, mean = deliver(single(trial(0, factor=2.0)))
    assert value == pytest.approx(2 * mean)
    assert notes == []


def test_a_vote_is_weighted(deliver):
    members = ((trial(0, factor=1.0), 0.25), (trial(1, factor=5.0), 0.75))
    value, _, mean = deliver(ensemble("VotingEnsemble", *members))
    assert value == pytest.approx(4 * mean)


def test_a_vote_that_loses_a_member_goes_on_without(deliver):
    members = ((trial(0, factor=1.0), 0.25), (trial(1, do="raise"), 0.75))
    value, notes, mean = deliver(ensemble("VotingEnsemble", *members))
    assert value == pytest.approx(mean)
    assert "trial 1 was not fitted: ValueError" in notes[0]


def test_a_stack_that_loses_a_member_becomes_its_best_other(deliver):
    members = ((trial(0, factor=3.0), 1.0), (trial(1, do="crash"), 1.0), (trial(2), 1.0))
    value, notes, mean = deliver(ensemble("StackEnsemble", *members, meta=object()))
    assert value == pytest.approx(3 * mean)
    assert "lost a member" in notes[-1]


def test_a_model_that_hangs_is_replaced_by_its_folds(deliver):
    start = time.monotonic()
    value, notes, _ = deliver(single(trial(0, do="hang")), seconds=8.0, kept=[(0, 7.0)])
    assert value == 7.0
    assert "as its first fold fitted it" in notes[-1]
    assert time.monotonic() - start < 12


def test_a_model_that_would_take_too_long_is_not_begun(deliver):
    start = time.monotonic()
    slow = trial(0, seconds=1e6, do="hang")
    value, _, _ = deliver(single(slow), seconds=30.0, kept=[(0, 7.0)])
    assert value == 7.0
    assert time.monotonic() - start < 10


def test_the_next_best_is_delivered_where_nothing_else_is_left(deliver):
    choice = single(trial(0, do="raise"), trial(1), trial(2))
    value, notes, _ = deliver(choice, kept=[(2, 9.0)])
    assert value == 9.0
    assert "trial 2 is delivered instead" in notes[-1]


def test_no_model_at_all_is_an_error(deliver):
    with pytest.raises(SearchError, match="more minutes"):
        deliver(single(trial(0, do="raise")))
