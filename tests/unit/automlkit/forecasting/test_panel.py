import numpy as np
import pandas as pd
import pytest

from automlkit.forecasting.panel import Reader
from automlmodel.forecast_features import SERIES, TARGET, TIME
from stepkit.program import StepError


def read(request):
    reader = Reader(request)
    return reader.read(request.training_data), reader.guardrails


def test_rows_come_sorted_by_series_and_time(ask, shops):
    shuffled = shops.sample(frac=1, random_state=0)
    panel, _ = read(ask(shuffled, forecasting={"time_series_id_column_names": ["shop"]}))
    assert panel.frequency == "MS"
    assert panel.lengths() == {"north": 60, "south": 60}
    assert panel.frame[panel.frame[SERIES] == "north"][TIME].is_monotonic_increasing
    assert panel.extra == ("price", "colour")
    north = shops.loc[shops["shop"] == "north", "sales"].to_numpy()
    assert panel.targets()["north"] == pytest.approx(north)


def test_missing_periods_are_added(ask, table):
    panel, guardrails = read(ask(table.drop([3, 40])))
    assert panel.lengths() == {"series": 72}
    assert panel.frame[TARGET].isna().sum() == 2
    assert {"check": "Missing periods", "state": "fixed"}.items() <= guardrails[-1].items()


def test_two_rows_of_a_time_are_refused(ask, table):
    doubled = pd.concat([table, table.iloc[[5]]])
    with pytest.raises(StepError, match="2010-06-01") as caught:
        read(ask(doubled))
    assert "time_series_id_column_names" in caught.value.hint


def test_rows_are_aggregated_to_periods(ask):
    days = pd.DataFrame({"day": pd.date_range("2020-01-01", "2020-03-31"), "sales": 1.0})
    days["price"], days["kind"] = np.arange(91.0), ["a", "a", "b"] * 30 + ["b"]
    settings = {
        "time_column_name": "day", "frequency": "MS", "target_aggregate_function": "sum",
    }  # fmt: skip
    panel, guardrails = read(ask(days, forecasting=settings))
    assert list(panel.frame[TARGET]) == [31.0, 29.0, 31.0]
    assert panel.frame["price"].iloc[0] == pytest.approx(15.0)
    assert list(panel.frame["kind"]) == ["a", "a", "a"]
    assert guardrails[0]["check"] == "Time series aggregation"


def test_a_period_without_a_target_has_none_after_aggregation(ask):
    days = pd.DataFrame({"day": pd.date_range("2020-01-01", "2020-03-31"), "sales": 1.0})
    days.loc[days["day"].dt.month == 2, "sales"] = np.nan
    settings = {"time_column_name": "day", "frequency": "M", "target_aggregate_function": "sum"}
    panel, _ = read(ask(days, forecasting=settings))
    assert panel.frequency == "ME"
    assert list(panel.frame[TARGET].isna()) == [False, True, False]


def test_times_may_be_text_years_or_of_a_zone(ask):
    texts = pd.DataFrame({"month": ["2020-01-01", "2020-02-01", "2020-03-01"], "sales": 1.0})
    years = pd.DataFrame({"month": [2000, 2001, 2002], "sales": 1.0})
    zoned = texts.assign(month=pd.to_datetime(texts["month"]).dt.tz_localize("UTC"))
    assert read(ask(texts))[0].frequency == "MS"
    assert read(ask(years))[0].frequency == "YS-JAN"
    assert read(ask(zoned))[0].frame[TIME].dt.tz is None


def test_numbers_name_a_series_whether_whole_or_not(ask, table):
    whole = table.assign(shop=7)
    panel, _ = read(ask(whole, forecasting={"time_series_id_column_names": ["shop"]}))
    assert list(panel.lengths()) == ["7"]


def test_a_table_may_have_columns_named_as_libraries_name_theirs(ask, table):
    named = table.assign(y=table["sales"] * 2, ds=1.5, unique_id="a")
    panel, _ = read(ask(named))
    assert set(panel.extra) == {"y", "ds", "unique_id"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sales": "many"}, "not a number"),
        ({"month": "soon"}, "no column of times"),
        ({"month": 12.5}, "are no years"),
        ({"month": None}, "no time"),
        ({"opened": pd.Timestamp("2020-01-01")}, "holds times"),
    ],
)
def test_wrong_columns_are_refused(ask, table, change, message):
    with pytest.raises(StepError, match=message):
        read(ask(table.assign(**change)))


def test_an_absent_column_is_named_with_the_near_one(ask, table):
    with pytest.raises(StepError) as caught:
        read(ask(table, target_column_name="sale"))
    assert "sales" in caught.value.hint


def test_custom_purposes_are_followed(ask, shops):
    featurization = {
        "mode": "custom",
        "column_name_and_types": {"price": "Categorical", "colour": "Ignore"},
    }
    settings = {"time_series_id_column_names": ["shop"]}
    panel, _ = read(ask(shops, featurization=featurization, forecasting=settings))
    assert panel.extra == ("price",)
    assert set(panel.frame["price"]) == {"1", "2", "3"}
