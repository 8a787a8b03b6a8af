from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from automlmodel.forecast_features import SERIES, TIME, Features
from automlmodel.forecaster import Forecaster, read_times, series_names


@dataclass
class Steps:
    """Forecasts the step, in thousands by series, plus a feature where it takes one."""

    columns: tuple[str, ...] = ()

    def predict(self, steps, future):
        names = list(dict.fromkeys(future[SERIES]))
        found = np.arange(1.0, steps + 1) + 1000 * np.arange(len(names))[:, None]
        for name in self.columns:
            found = found + future[name].to_numpy().reshape(len(names), steps)
        return found


def make(
    *members, weights=(1.0,), history=None, features=None, ids=("shop",), frequency="MS", **fields
):
    names = ("north", "south") if ids else ("series",)
    return Forecaster(
        time_column="month",
        id_columns=tuple(ids),
        target="sales",
        frequency=frequency,
        horizon=3,
        origins=dict.fromkeys(names, pd.Timestamp("2020-12-01")),
        members=list(members) or [Steps()],
        weights=list(weights),
        features=features or Features(frequency, has_calendar=False),
        history=pd.DataFrame({SERIES: [], TIME: []}) if history is None else history,
        spread={name: np.asarray([1.0, 2.0, 3.0]) for name in names},
        floors=dict.fromkeys(names, -np.inf),
        **fields,
    )


PRICED = Features("MS", numeric={"price": 7.0}, has_calendar=False)


def rows(*months: str, shop="north", **columns):
    return pd.DataFrame({"month": pd.to_datetime(list(months)), "shop": shop, **columns})


def test_rows_get_their_own_forecast_in_any_order():
    asked = pd.concat([rows("2021-03-01", "2021-01-01"), rows("2021-02-01", shop="south")])
    assert list(make().predict(asked)) == [3.0, 1.0, 1002.0]


def test_times_may_be_text():
    assert list(make().predict(rows("2021-02-01").astype({"month": str}))) == [2.0]


def test_it_forecasts_beyond_the_horizon():
    assert list(make().predict(rows("2021-12-01"))) == [12.0]


def test_one_series_needs_no_column():
    assert list(make(ids=()).predict(rows("2021-02-01")[["month"]])) == [2.0]


def test_members_are_weighted():
    forecaster = make(Steps(), Steps(("price",)), weights=(0.25, 0.75), features=PRICED)
    asked = rows("2021-01-01", "2021-02-01", price=[4.0, 8.0])
    assert forecaster.predict(asked) == pytest.approx([1 + 3, 2 + 6])


def test_columns_known_ahead_count_and_missing_ones_are_imputed():
    forecaster = make(Steps(("price",)), features=PRICED)
    asked = rows("2021-01-01", "2021-02-01", price=[0.5, np.nan])
    assert list(forecaster.predict(asked)) == [1.5, 9.0]


def test_a_gap_is_refused_where_a_column_is_needed():
    forecaster = make(Steps(("price",)), features=PRICED)
    with pytest.raises(ValueError, match=r"row of 2021-02-01.*missing.*price"):
        forecaster.predict(rows("2021-01-01", "2021-03-01", price=1.0))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (rows("2020-12-01"), "not after 2020-12-01"),
        (rows("2021-01-15"), "not on the grid"),
        (rows("2021-01-01", shop="west"), "'west'.*not in the training data"),
        (rows("2021-01-01", shop="east"), "'east'.*too short"),
        (rows("2021-01-01").drop(columns="shop"), "no column 'shop'"),
        (rows("2021-01-01").iloc[:0], "no rows"),
    ],
)
def test_rows_that_cannot_be_forecast_are_refused(asked, message):
    forecaster = make(left_out={"east": "it was too short"})
    with pytest.raises(ValueError, match=message):
        forecaster.predict(asked)


def test_a_needed_column_must_be_there():
    with pytest.raises(ValueError, match="no column 'price'"):
        make(Steps(("price",)), features=PRICED).predict(rows("2021-01-01"))


def test_rows_of_a_period_share_its_forecast_where_periods_were_aggregated():
    asked = rows("2021-01-01", "2021-01-20", "2021-02-03")
    assert list(make(is_aggregated=True).predict(asked)) == [1.0, 1.0, 2.0]
    last = make(is_aggregated=True, frequency="ME")
    last.origins = dict.fromkeys(last.origins, pd.Timestamp("2020-12-31"))
    assert list(last.predict(asked)) == [1.0, 1.0, 2.0]


def test_quantiles_are_as_wide_as_errors_were_at_that_step():
    asked = rows("2021-01-01", "2021-03-01", "2021-12-01")
    found = make().forecast_quantiles(asked, (0.025, 0.5, 0.975))
    assert found[0.5].to_numpy() == pytest.approx([1, 3, 12])
    width = (found[0.975] - found[0.025]).to_numpy() / (2 * 1.959964)
    assert width == pytest.approx([1, 3, 3 * 2])


def test_a_quantile_is_a_share():
    with pytest.raises(ValueError, match="between 0 and 1"):
        make().forecast_quantiles(rows("2021-01-01"), (50,))


def test_forecasts_stay_above_the_floor():
    forecaster = make()
    forecaster.floors = {"north": 2.5, "south": 0.0}
    asked = rows("2021-12-01", "2021-04-01", "2021-01-01")
    # The path within the horizon was made before; what is beyond is made anew.
    assert list(forecaster.predict(asked)) == [12.0, 4.0, 2.5]


def test_a_forecast_that_is_no_number_is_found():
    forecaster = make(weights=(float("nan"),))
    with pytest.raises(ValueError, match="other than numbers"):
        forecaster.check()


def test_past_values_of_a_column_are_one_horizon_old():
    features = Features(
        "MS", numeric={"rain": 0.0}, unknown=frozenset({"rain"}), lag=3, has_calendar=False
    )
    past = pd.date_range("2020-10-01", periods=3, freq="MS")
    history = pd.concat(
        [pd.DataFrame({SERIES: name, TIME: past, "rain": [0.1, 0.2, 0.3]})
         for name in ("north", "south")]
    )  # fmt: skip
    forecaster = make(Steps(("rain_lag3",)), features=features, history=history)
    assert forecaster.needed_columns == []
    found = forecaster.predict(rows("2021-01-01", "2021-02-01", "2021-03-01"))
    assert found == pytest.approx([1.1, 2.2, 3.3])


def test_labels_of_several_columns_do_not_mix():
    frame = pd.DataFrame({"a": ["x", "x|y"], "b": ["y|z", "z"]})
    first, second = series_names(frame, ["a", "b"])
    assert first != second
    assert series_names(pd.DataFrame({"a": [1.0]}), ["a"])[0] == "1"


def test_times_with_a_zone_come_in_utc():
    times = read_times(pd.Series(["2020-01-01T02:00+02:00"], name="t"))
    assert times[0] == pd.Timestamp("2020-01-01")


def test_the_calendar_is_as_fine_as_the_period():
    index = pd.date_range("2020-01-01", periods=3, freq="D")
    assert {"month", "weekday", "week_sin1"} <= set(Features("D").calendar(index))
    assert "weekday" not in Features("MS").calendar(index)
    assert Features("YS").calendar(index) == {}
    assert "hour" in Features("15min").calendar(index)


def test_holidays_of_days_and_of_months():
    days = pd.DatetimeIndex(["2021-12-24", "2021-12-25", "2021-12-27"])
    found = Features("D", country="DE").holidays(days)
    assert list(found["holidays"]) == [0, 1, 0]
    assert list(found["before_holiday"]) == [1, 1, 0]
    assert list(found["after_holiday"]) == [0, 0, 1]
    months = pd.DatetimeIndex(["2021-11-01", "2021-12-01"])
    assert list(Features("MS", country="DE").holidays(months)["holidays"]) == [0, 2]
