import numpy as np
import pandas as pd
import pytest

from automlkit.forecasting.portfolio import Candidate, candidates, choose
from automlkit.forecasting.problem import make_problem
from automlkit.forecasting.regression import REGRESSIONS, Setting, choose_lags, stl_components
from automlkit.forecasting.statistical import STATISTICAL
from automlkit.forecasting.trial import Truth, evaluate, fit
from automlmodel.forecast_features import SERIES, TARGET, TIME
from stepkit.program import StepError

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning:statsforecast"),
]
SHOPS = {"time_series_id_column_names": ["shop"]}
SMALL = {
    "GradientBoosting": {"max_iter": 5},
    "RandomForest": {"n_estimators": 5},
    "ExtremeRandomTrees": {"n_estimators": 5},
    "LightGBM": {"n_estimators": 5},
    "XGBoostRegressor": {"n_estimators": 5},
}


@pytest.fixture
def problem(ask, shops):
    settings = {**SHOPS, "cv_step_size": 6}
    return make_problem(ask(shops, forecasting=settings, n_cross_validations=2))[0]


@pytest.mark.parametrize("algorithm", [*STATISTICAL, *REGRESSIONS])
@pytest.mark.slow
def test_every_algorithm_forecasts_every_fold(problem, algorithm):
    found = evaluate(problem, Candidate(algorithm, SMALL.get(algorithm, {})), 1)
    truth = Truth(problem)
    assert found.shape == truth.values.shape == (2 * 2 * 6,)
    assert np.isfinite(found).all()
    # No forecast of it is further off than a whole range of the series.
    assert (np.abs(found - truth.values) / problem.ranges[truth.series]).mean() < 1


@pytest.mark.parametrize("algorithm", ["ExponentialSmoothing", "ElasticNet"])
def test_logarithms_are_taken_and_given_back(problem, algorithm):
    found = evaluate(problem, Candidate(algorithm, {"log": True}), 1)
    assert np.abs(found / Truth(problem).values - 1).mean() < 0.5


@pytest.mark.parametrize("algorithm", ["Naive", "ElasticNet"])
def test_what_is_not_positive_has_no_logarithm(ask, table, algorithm):
    below = table.assign(sales=table["sales"] - 120)
    problem = make_problem(ask(below))[0]
    with pytest.raises(StepError, match="logarithm"):
        evaluate(problem, Candidate(algorithm, {"log": True}), 1)


def test_the_seasonal_naive_repeats_the_last_season(ask, table):
    problem = make_problem(ask(table, n_cross_validations=2, forecasting={"cv_step_size": 6}))[0]
    found = evaluate(problem, Candidate("SeasonalNaive", {}), 1)
    assert found[:6] == pytest.approx(table["sales"][54:60].to_numpy())
    assert found[6:] == pytest.approx(table["sales"][48:54].to_numpy())


@pytest.mark.slow
def test_arimax_uses_the_columns(problem):
    with_price = evaluate(problem, Candidate("Arimax", {}), 1)
    without = evaluate(problem, Candidate("AutoArima", {}), 1)
    truth = Truth(problem).values
    assert np.abs(with_price - truth).mean() < 0.5 * np.abs(without - truth).mean()


def test_regressions_use_the_columns(problem):
    config = {"alpha": 0.001, "differences": [1]}
    found = evaluate(problem, Candidate("ElasticNet", config), 1)
    naive = evaluate(problem, Candidate("SeasonalNaive", {}), 1)
    truth = Truth(problem).values
    assert np.abs(found - truth).mean() < 0.5 * np.abs(naive - truth).mean()


def test_forecasts_do_not_fall_below_zero_where_the_series_never_did(ask, table):
    falling = table.assign(sales=np.linspace(50, 0, 72))
    problem = make_problem(ask(falling))[0]
    assert evaluate(problem, Candidate("Naive", {"drift": True}), 1).min() >= 0


def test_series_of_unequal_validation_rows_are_forecast(ask, shops):
    late = shops["month"] > "2014-06-01"
    short = late & ~((shops["shop"] == "south") & (shops["month"] > "2014-09-01"))
    problem = make_problem(ask(shops[~late], validation=shops[short], forecasting=SHOPS))[0]
    found = evaluate(problem, Candidate("Naive", {}), 1)
    north = shops.loc[~late & (shops["shop"] == "north"), "sales"].iloc[-1]
    south = shops.loc[~late & (shops["shop"] == "south"), "sales"].iloc[-1]
    assert list(found) == [north] * 6 + [south] * 3


def test_a_short_series_is_fitted_without_its_season(ask, table):
    short = table.iloc[:20]
    settings = {"seasonality": 12, "forecast_horizon": 3}
    problem = make_problem(ask(short, forecasting=settings))[0]
    assert np.isfinite(evaluate(problem, Candidate("MSTL", {}), 1)).all()


def test_stl_is_a_feature(ask, table):
    settings = {"use_stl": "season_trend"}
    problem = make_problem(ask(table, forecasting=settings))[0]
    member = fit(problem, Candidate("ElasticNet", {"alpha": 0.01}), problem.training(0), 1)
    assert member.components.columns == ("stl_season", "stl_trend")
    found = evaluate(problem, Candidate("ElasticNet", {"alpha": 0.01}), 1)
    assert np.abs(found - Truth(problem).values).mean() < 5


def test_stl_goes_on_with_season_and_trend():
    count = np.arange(60)
    values = count + 10 * np.sin(2 * np.pi * count / 12)
    times = pd.date_range("2020-01-01", periods=60, freq="MS")
    frame = pd.DataFrame({SERIES: "a", TIME: times, TARGET: values})
    components, parts = stl_components(frame, 12, "season_trend")
    ahead = components.ahead(12)
    expected = np.arange(60, 72) + 10 * np.sin(2 * np.pi * np.arange(60, 72) / 12)
    assert ahead["stl_season"] + ahead["stl_trend"] == pytest.approx(expected, abs=1.0)
    assert parts["stl_season"].shape == (60,)


def test_lags_follow_the_season_unless_they_are_asked_for():
    assert choose_lags({}, Setting("MS", seasons=(12,)), 100) == list(range(1, 14))
    assert choose_lags({}, Setting("MS", seasons=(12,), lags=(2, 24)), 100) == [2, 24]
    assert {167, 168, 169} <= set(choose_lags({}, Setting("h", seasons=(168,)), 1000))
    assert max(choose_lags({}, Setting("MS", seasons=(12,)), 14)) <= 7


def test_windows_that_are_asked_for_are_used(ask, table):
    problem = make_problem(ask(table, forecasting={"target_rolling_window_size": 5}))[0]
    member = fit(problem, Candidate("ElasticNet", {"alpha": 0.1}), problem.frame, 1)
    names = [str(kind) for kind in member.model.ts.transforms]
    assert {"rolling_mean_lag1_window_size5_min_samples1"} <= set(names)


def names(request):
    return choose(request)[0]


def test_all_algorithms_but_those_not_installed_are_tried(ask, table):
    chosen, rows = choose(ask(table))
    assert chosen == frozenset([*STATISTICAL, *REGRESSIONS])
    assert any("Prophet" in row["detail"] and row["state"] == "alerted" for row in rows)


def test_allowed_and_blocked_names_are_followed(ask, table):
    training = {"allowed_training_algorithms": ["Naive", "LightGBM", "Prophet"]}
    assert names(ask(table, training=training)) == {"Naive", "LightGBM"}
    training = {"blocked_training_algorithms": ["Naive", "Prophet"]}
    chosen, rows = choose(ask(table, training=training))
    assert "Naive" not in chosen
    assert not any("Prophet" in row["detail"] for row in rows)


@pytest.mark.parametrize("algorithm", ["Prophet", "TCNForecaster"])
def test_only_what_is_not_installed_is_refused(ask, table, algorithm):
    with pytest.raises(StepError, match=f"{algorithm} are not installed"):
        choose(ask(table, training={"allowed_training_algorithms": [algorithm]}))


def test_an_unknown_algorithm_is_refused(ask, table):
    with pytest.raises(StepError, match="'Oracle'"):
        choose(ask(table, training={"allowed_training_algorithms": ["Oracle"]}))


def test_candidates_come_once_and_always_in_the_same_order(problem):
    algorithms = frozenset([*STATISTICAL, *REGRESSIONS])
    first = [candidate.key for candidate in candidates(problem, algorithms)]
    assert first == [candidate.key for candidate in candidates(problem, algorithms)]
    assert len(first) == len(set(first)) > 40


def test_candidates_make_sense_of_the_data(ask, table):
    noise = table.assign(sales=np.random.default_rng(0).normal(size=72))
    problem = make_problem(ask(noise, forecasting={"seasonality": 1}))[0]
    found = list(candidates(problem, frozenset([*STATISTICAL, *REGRESSIONS])))
    assert not {"MSTL", "SeasonalNaive", "Arimax"} & {candidate.algorithm for candidate in found}
    assert not any(candidate.config.get("log") for candidate in found)
