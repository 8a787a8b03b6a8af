"""Searches whose workers do not come to an end."""

import json
import time

import numpy as np
import pytest

from automlkit.errors import SearchError
from automlkit.events import Events
from automlkit.forecasting.portfolio import Candidate, candidates, find_cheapest
from automlkit.forecasting.problem import make_problem
from automlkit.forecasting.results import Results, Timing
from automlkit.forecasting.search import Search
from automlkit.forecasting.state import State
from stepkit.model import load_model

# MLflow warns of its own type hints when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore")
ALLOWED = frozenset({"ElasticNet", "Naive", "SeasonalNaive"})


@pytest.fixture
def problem(ask, table):
    return make_problem(ask(table, n_cross_validations=3))[0]


@pytest.fixture
def search(problem, never_ready, tmp_path):
    """A search of workers that never become ready, with a second for it."""
    events = Events(tmp_path / "events.jsonl")
    state = State(tmp_path / "state", problem)
    now = time.monotonic()
    yield Search(problem, events, state, never_ready(problem), 1, now + 1.0, now + 60.0)
    events.close()


def test_without_a_worker_the_cheapest_is_tried_here(problem, search, tmp_path):
    began = time.monotonic()
    cheapest = find_cheapest(problem, ALLOWED)
    assert search.run(candidates(problem, ALLOWED), cheapest) == "timeout"
    # There is no patience with workers of which none is ready.
    assert time.monotonic() - began < 50
    (trial,) = search.trials
    assert (trial.algorithm, trial.status) == ("SeasonalNaive", "Completed")
    told = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [event["event"] for event in told] == ["trial_started", "trial_ended"]
    assert told[1]["score"] == trial.score
    known = State(tmp_path / "state", problem).get(Candidate("SeasonalNaive", {}))
    assert np.array_equal(known.predictions, trial.predictions)


def test_without_a_worker_a_model_is_delivered(problem, search, never_ready, table, tmp_path):
    search.run(candidates(problem, ALLOWED), find_cheapest(problem, ALLOWED))
    chosen, _ = search.vote()
    now = time.monotonic()
    timing = Timing(now, now, now, now + 0.5)
    results = Results(problem, search, never_ready(problem), 1, tmp_path, timing)
    delivered, tested = results.deliver(chosen)
    assert (delivered, tested) == (chosen, {})
    assert "no time" in results.explain(delivered)
    model = load_model(tmp_path / "model").estimator
    rows = table.tail(12).head(6).drop(columns="sales")
    rows["month"] += np.timedelta64(366, "D")
    rows["month"] = rows["month"].dt.to_period("M").dt.to_timestamp()
    assert model.predict(rows) == pytest.approx(list(table["sales"].iloc[-12:-6]))


def test_what_is_not_allowed_is_not_tried(problem, search):
    allowed = frozenset({"ElasticNet"})
    assert find_cheapest(problem, allowed) is None
    with pytest.raises(SearchError, match="no trial came to an end"):
        search.run(candidates(problem, allowed), None)


def test_a_mean_is_cheap_too(problem):
    assert find_cheapest(problem, frozenset({"Average", "AutoArima"})).algorithm == "Average"
