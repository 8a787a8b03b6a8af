import pytest

from automlkit.forecasting.portfolio import Candidate
from automlkit.forecasting.problem import make_problem
from automlkit.forecasting.shuffled import groups, importance

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
NET = Candidate("ElasticNet", {"alpha": 0.01, "lags": [1, 12], "windows": [3]})


@pytest.fixture
def problem(ask, shops):
    settings = {"time_series_id_column_names": ["shop"], "cv_step_size": 6}
    return make_problem(ask(shops, forecasting=settings, n_cross_validations=2))[0]


def ranked(problem, *members, seconds=60.0):
    rows = importance(problem, members, threads=1, seconds=seconds)
    return {name: growth for name, growth, _ in rows}


def test_the_column_that_matters_leads(problem):
    found = ranked(problem, (NET, 1.0))
    assert next(iter(found)) == "price"
    # Its effect of 30 in ranges of about 150; the colour has none.
    assert found["price"] > 0.05
    assert abs(found["colour"]) < 0.01
    assert {"lag1", "lag12", "mean of last 3", "cycle of the year"} < set(found)


def test_the_past_of_the_target_matters_where_nothing_else_tells_the_season(ask, table):
    problem = make_problem(ask(table, n_cross_validations=3))[0]
    config = {"alpha": 0.01, "lags": [1, 12], "calendar": False}
    found = ranked(problem, (Candidate("ElasticNet", config), 1.0))
    assert list(found) == ["lag12", "lag1"]
    assert found["lag12"] > 0.1


def test_columns_of_a_statistical_member_are_shuffled_too(problem):
    found = ranked(problem, (Candidate("Arimax", {}), 0.5), (Candidate("Naive", {}), 0.5))
    assert list(found) == ["price", "colour"]
    assert found["price"] > 0.02


def test_members_that_see_their_own_past_alone_have_nothing_to_rank(problem):
    assert ranked(problem, (Candidate("SeasonalNaive", {}), 1.0)) == {}


def test_time_is_bounded(problem):
    assert ranked(problem, (NET, 1.0), seconds=0.0) == {}


def test_the_past_of_a_column_is_told_from_its_present(ask, shops):
    settings = {"time_series_id_column_names": ["shop"], "feature_lags": "auto"}
    problem = make_problem(ask(shops, forecasting=settings))[0]
    features = ["price", "price_lag6", "colour=red", "colour=blue", "lag1"]
    assert groups(problem, features) == {
        "price": ["price"],
        "price_lag6": ["price_lag6"],
        "colour": ["colour=red", "colour=blue"],
        "lag1": ["lag1"],
    }
