import json

import cloudpickle
import numpy as np
import pandas as pd
import pytest

from automlkit.forecasting.explain import Explanation, about, by_step, last_fold
from automlkit.forecasting.portfolio import Candidate
from automlkit.forecasting.problem import make_problem
from automlkit.forecasting.trial import Truth, evaluate, fit

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning")]


class Model:
    """Stands for a delivered forecaster, of which its members are read."""

    def __init__(self, members):
        self.members = members


@pytest.fixture
def problem(ask, table):
    return make_problem(ask(table, n_cross_validations=3))[0]


def explained(problem, folder, candidate, seconds=60.0):
    members = ((candidate, 1.0),)
    fitted = [fit(problem, candidate, problem.frame, 1)]
    (folder / "model").mkdir()
    (folder / "model" / "model.pkl").write_bytes(cloudpickle.dumps(Model(fitted)))
    out = folder / "explanation"
    predictions = evaluate(problem, candidate, 1)
    Explanation(members, predictions, folder / "model", out, seconds, threads=1)(problem)
    return out


def test_errors_are_told_by_step_ahead(problem):
    truth = Truth(problem)
    found = by_step(truth, truth.values + truth.step)
    assert list(found["step"]) == [1, 2, 3, 4, 5, 6]
    assert list(found["rows"]) == [3] * 6
    for name in ("mean_absolute_error", "root_mean_squared_error", "mean_error"):
        assert list(found[name]) == pytest.approx([1, 2, 3, 4, 5, 6])
    shares = 100 / truth.values[truth.step == 1]
    assert found["mean_absolute_percentage_error"][0] == pytest.approx(shares.mean())


def test_the_latest_fold_is_shown_with_its_band(problem, table):
    truth = Truth(problem)
    noise = np.random.default_rng(0).normal(0, 2, len(truth.values))
    found = last_fold(problem, truth, truth.values + noise)
    assert list(found["time"]) == list(table["month"][-6:])
    assert list(found["actual"]) == pytest.approx(list(table["sales"][-6:]))
    width = found["quantile_0.9"] - found["quantile_0.1"]
    # 80 % of a normal distribution of standard deviation 2, never surer further ahead.
    assert width.mean() == pytest.approx(2 * 1.2816 * 2, rel=0.4)
    assert (width.diff().dropna() >= -1e-9).all()


def test_a_regression_is_explained_by_its_features(problem, tmp_path):
    candidate = Candidate("ElasticNet", {"alpha": 0.01, "lags": [1, 12]})
    out = explained(problem, tmp_path, candidate)
    assert {file.name for file in out.iterdir()} == {
        "horizon.csv", "forecast.csv", "forecast.png", "members.json", "importance.csv",
        "importance.png",
    }  # fmt: skip
    assert (out / "forecast.png").read_bytes().startswith(b"\x89PNG")
    columns = set(pd.read_csv(out / "importance.csv")["column"])
    told = json.loads((out / "members.json").read_text())
    assert columns == set(told["features"]) > {"lag1", "lag12"}
    assert told["columns"].startswith("none of the table")


def test_a_statistical_model_says_that_there_is_nothing_to_rank(problem, tmp_path):
    out = explained(problem, tmp_path, Candidate("MSTL", {}))
    assert not (out / "importance.csv").exists()
    told = json.loads((out / "members.json").read_text())
    assert "own past" in told["columns"]
    (member,) = told["members"]
    # The table is a line, a season, and a little noise.
    assert member["strength"]["trend"] > 0.9
    assert member["strength"]["seasonal"] > 0.9


@pytest.mark.parametrize(("algorithm", "form"), [("ExponentialSmoothing", "ETS("),
                                                 ("AutoArima", "ARIMA(")])  # fmt: skip
def test_the_form_of_a_model_is_told(problem, algorithm, form):
    candidate = Candidate(algorithm, {})
    fitted = [fit(problem, candidate, problem.frame, 1)]
    (member,) = about(problem, [(candidate, 1.0)], fitted)["members"]
    ((name, count),) = member["forms"].items()
    assert name.startswith(form)
    assert count == 1
