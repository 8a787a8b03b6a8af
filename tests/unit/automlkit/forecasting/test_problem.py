import numpy as np
import pandas as pd
import pytest

from automlkit.forecasting.problem import make_problem
from automlmodel.forecast_features import SERIES, TARGET, TIME
from stepkit.program import StepError

SHOPS = {"time_series_id_column_names": ["shop"]}


def test_folds_roll_and_never_see_what_they_forecast(ask, shops):
    problem, _ = make_problem(ask(shops, forecasting=SHOPS))
    for fold in range(problem.folds.count):
        training, validation = problem.training(fold), problem.validation(fold)
        for name in ("north", "south"):
            last = training[training[SERIES] == name][TIME].max()
            ahead = validation[validation[SERIES] == name][TIME]
            assert list(ahead) == list(pd.date_range(last, periods=7, freq="MS")[1:])
    latest = problem.validation(0)[TIME].max()
    assert latest == pd.Timestamp(shops["month"].max())


def test_given_validation_rows_are_the_only_fold(ask, table):
    problem, _ = make_problem(ask(table.iloc[:-9], validation=table.iloc[-9:]))
    assert problem.folds.kind == "given"
    assert problem.folds.count == 1
    assert list(problem.validation(0)[TARGET]) == pytest.approx(list(table["sales"][-9:]))
    assert len(problem.training(0)) == 63


@pytest.mark.parametrize(("first", "last"), [(60, 72), (65, 72)])
def test_validation_rows_must_follow(ask, table, first, last):
    with pytest.raises(StepError, match="validation data"):
        make_problem(ask(table.iloc[:63], validation=table.iloc[first:last]))


def test_test_rows_are_the_last_ones(ask, shops):
    problem, _ = make_problem(ask(shops, forecasting=SHOPS, test_data_size=0.1))
    assert len(problem.test) == 12
    assert len(problem.frame) == 108
    assert problem.test[TIME].min() > problem.frame[TIME].max()


def test_test_rows_of_an_unknown_series_are_refused(ask, shops):
    test = shops.iloc[:3].assign(shop="west")
    with pytest.raises(StepError, match="'west'"):
        make_problem(ask(shops, forecasting=SHOPS, test=test))


def test_the_season_and_the_lags_are_found(ask, table):
    problem, guardrails = make_problem(ask(table, forecasting={"target_lags": "auto"}))
    assert problem.seasons == (12,)
    assert problem.lags
    checks = {row["check"] for row in guardrails}
    assert {"Seasonality detection", "Target lag detection", "Frequency detection"} <= checks


def test_what_is_given_is_not_searched_for(ask, table):
    settings = {"seasonality": 4, "target_lags": [1, 3]}
    problem, _ = make_problem(ask(table, forecasting=settings))
    assert (problem.seasons, problem.lags) == ((4,), (1, 3))


def test_short_series_are_left_out_and_said_so(ask, shops):
    short = shops[(shops["shop"] == "north") | (shops["month"] > "2014-08-01")]
    problem, guardrails = make_problem(ask(short, forecasting=SHOPS))
    assert problem.series == ["north"]
    assert "south" in problem.left_out
    (row,) = [row for row in guardrails if row["check"] == "Short series handling"]
    assert (row["state"], "south" in row["detail"]) == ("fixed", True)


def test_padding_puts_the_first_value_before(ask, table):
    settings = {"short_series_handling_config": "pad", "seasonality": 1}
    problem, _ = make_problem(ask(table.iloc[:10], forecasting=settings))
    assert len(problem.frame) > 10
    assert problem.frame[TARGET].iloc[0] == table["sales"].iloc[0]
    assert problem.frame[TIME].is_monotonic_increasing
    assert problem.padded == {"series": len(problem.frame) - 10}


def test_missing_targets_take_the_last_known_value(ask, table):
    holes = table.assign(sales=table["sales"].where(~table.index.isin([0, 7, 8])))
    problem, guardrails = make_problem(ask(holes))
    target = problem.frame[TARGET].to_numpy()
    assert list(target[:2]) == [table["sales"][1]] * 2
    assert list(target[6:9]) == [table["sales"][6]] * 3
    assert any(row["state"] == "fixed" and "3 missing" in row["detail"] for row in guardrails)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [({"strategy": "constant", "fill_value": 5}, 5.0), ({"strategy": "mean"}, None)],
)
def test_imputers_are_followed(ask, table, parameters, expected):
    holes = table.assign(sales=table["sales"].where(table.index != 7))
    params = {"Imputer": [{"fields": ["sales"], "parameters": parameters}]}
    featurization = {"mode": "custom", "transformer_params": params}
    problem, _ = make_problem(ask(holes, featurization=featurization))
    expected = holes["sales"].mean() if expected is None else expected
    assert problem.frame[TARGET][7] == pytest.approx(expected)


def test_an_unknown_imputer_is_refused(ask, table):
    params = {"Imputer": [{"fields": ["sales"], "parameters": {"strategy": "guess"}}]}
    featurization = {"mode": "custom", "transformer_params": params}
    holes = table.assign(sales=table["sales"].where(table.index != 7))
    with pytest.raises(StepError, match="guess"):
        make_problem(ask(holes, featurization=featurization))


def test_a_series_without_any_target_is_refused(ask, shops):
    empty = shops.assign(sales=shops["sales"].where(shops["shop"] == "north"))
    with pytest.raises(StepError, match="south"):
        make_problem(ask(empty, forecasting=SHOPS))


def test_columns_become_features(ask, shops):
    holes = shops.assign(price=shops["price"].where(shops.index % 7 > 0), same=1.0, nothing=np.nan)
    problem, _ = make_problem(ask(holes, forecasting=SHOPS))
    assert set(problem.features.numeric) == {"price"}
    assert problem.features.numeric["price"] == holes["price"].median()
    assert problem.features.categories == {"colour": ("blue", "red")}
    assert {"price", "colour=red", "month"} <= set(problem.feature_names)
    assert set(problem.given_features) == {"price", "colour=red", "colour=blue"}
    assert not problem.frame.isna().any().any()


def test_columns_that_are_not_known_ahead_are_used_by_their_past_only(ask, shops):
    settings = {**SHOPS, "features_lags": None, "unknown_at_prediction_time": ["price"]}
    settings.pop("features_lags")
    assert "price" not in make_problem(ask(shops, forecasting=settings))[0].feature_names
    problem, _ = make_problem(ask(shops, forecasting={**settings, "feature_lags": "auto"}))
    assert "price" not in problem.feature_names
    lagged = problem.frame["price_lag6"][6:60].to_numpy()
    assert lagged == pytest.approx(problem.raw["price"][:54].to_numpy())


def test_featurization_off_leaves_the_calendar_out(ask, table):
    problem, _ = make_problem(ask(table, featurization={"mode": "off"}))
    assert problem.feature_names == ()


def test_an_unknown_column_is_refused(ask, table):
    with pytest.raises(StepError, match="'weather'"):
        make_problem(ask(table, forecasting={"unknown_at_prediction_time": ["weather"]}))


@pytest.mark.parametrize(
    "fields",
    [{"weight_column_name": "w"}, {"cv_split_column_names": ["a"]}, {"validation_data_size": 0.2}],
)
def test_fields_without_meaning_are_refused(ask, table, fields):
    with pytest.raises(StepError, match="no meaning in forecasting"):
        make_problem(ask(table, **fields))


def test_the_horizon_can_be_found(ask, table):
    problem, _ = make_problem(ask(table, forecasting={"forecast_horizon": "auto"}))
    assert problem.folds.horizon == 14
