"""The rule of the verdict, on figures with known answers and on simulated data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fit_curves import best_alternative, fold_gap, mean_of, refit, slope_of
from fit_verdict import Alternative, Evidence, judge
from generalisation_figures import loss_of, shift_of
from main_parameter import main_parameter
from reference_models import Part, gap
from refitting import Clock, Refitter, make_folds

from stepkit.bootstrap import resampled, statistic_of
from stepkit.model import Model, Scores
from stepkit.resampling import Gain


def gain(mean: float, reach: float = 0.01) -> Gain:
    return Gain(mean, mean - reach, mean + reach)


SOUND = Evidence(
    gap=gain(0.02),
    over_guess=gain(0.4),
    train_over_guess=0.42,
    reference=Alternative("boosting", gain(0.0), 0.01),
    reference_over_guess=gain(0.4),
    setting=Alternative("depth = 3", gain(-0.01), -0.02),
    slope=gain(0.0),
)


def with_setting(
    mean: float, train: float, *, reach: float = 0.01, confirmed: bool = True
) -> Evidence:
    return replace(SOUND, setting=Alternative("depth = 3", gain(mean, reach), train, confirmed))


def with_reference(mean: float, train: float, **more: object) -> Evidence:
    return replace(SOUND, reference=Alternative("boosting", gain(mean), train), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("evidence", "verdict", "said"),
    [
        (SOUND, "fits", "no alternative"),
        (with_setting(0.05, -0.05), "overfits", "depth = 3 is worse on the train rows"),
        (with_setting(0.05, 0.05), "underfits", "depth = 3 is better on train rows"),
        # 0.007 is less than 2 % of the room of 0.4.
        (with_setting(0.007, -0.05, reach=0.001), "fits", "no alternative"),
        (with_setting(0.02, -0.05, reach=0.025), "undecided", "by up to 11%"),
        (with_setting(0.02, -0.05, reach=0.02), "fits", "no alternative"),
        (with_setting(0.05, -0.05, confirmed=False), "undecided", "few rows only"),
        (replace(with_setting(0.05, -0.05), gap=gain(0.0)), "undecided", "no gap"),
        (with_reference(0.05, 0.05), "underfits", "boosting is better on train rows"),
        # Another kind of model is better with a worse train score: no matter of fit.
        (with_reference(0.05, -0.05), "fits", "no alternative"),
        (with_reference(0.05, -0.05, setting=None), "overfits", "boosting is worse on the train"),
        (with_reference(0.0, -0.05, setting=None, slope=None), "fits", "no alternative"),
        (replace(SOUND, over_guess=gain(0), train_over_guess=0.01), "fits", "no alternative"),
    ],
)
def test_verdicts(evidence: Evidence, verdict: str, said: str) -> None:
    found = judge(evidence)
    assert found.verdict == verdict
    assert said in found.reason


NOTHING = replace(
    SOUND, over_guess=gain(0), train_over_guess=0.01, reference_over_guess=gain(0), gap=gain(0)
)


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        (NOTHING, "undecided"),
        (replace(NOTHING, over_guess=gain(-0.1)), "overfits"),
        (replace(NOTHING, train_over_guess=0.5, gap=gain(0.5)), "overfits"),
        (replace(NOTHING, train_over_guess=0.5, gap=gain(0.25)), "undecided"),
    ],
)
def test_where_nothing_is_better_than_guessing(evidence: Evidence, verdict: str) -> None:
    assert judge(evidence).verdict == verdict


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (replace(with_setting(0.05, -0.05), slope=gain(0.03)), "or give more rows"),
        (with_setting(0.05, -0.05), "make it simpler"),
        (replace(with_setting(0.05, 0.05), slope=gain(0.03)), "more rows help as well"),
        (with_setting(0.05, 0.05), "more rows would not help"),
        (replace(with_setting(0.05, 0.05), slope=None), "more flexible model, or better features"),
        (replace(SOUND, slope=gain(0.03)), "more rows would still make it better"),
        (SOUND, ""),
    ],
)
def test_advice_goes_by_the_slope(evidence: Evidence, said: str) -> None:
    found = judge(evidence).advice
    assert said in found
    assert bool(said) == bool(found)


def test_the_loss_is_a_share_of_the_room() -> None:
    evidence = with_setting(0.1, -0.05)
    assert evidence.room == pytest.approx(0.5)
    loss = loss_of(evidence)
    assert loss is not None
    assert (loss.mean, loss.low, loss.high) == pytest.approx((0.2, 0.18, 0.22))
    assert loss_of(with_setting(0.1, -0.05, confirmed=False)) is None
    assert (
        loss_of(
            replace(NOTHING, over_guess=gain(-0.1), reference_over_guess=gain(-0.1), setting=None)
        )
        is None
    )


def test_a_shift_is_worse_where_it_is_above_0() -> None:
    up = shift_of(gain(0.9, 0.03), gain(0.8, 0.04), "auc")
    assert (up.mean, up.low, up.high) == pytest.approx((0.1, 0.05, 0.15))
    assert shift_of(gain(3.0), gain(2.0), "rmse").mean == -1


def part_of(rng: np.random.Generator, rows: int, seed: int) -> Part:
    """Return how a model that was fitted on neither part does: its true gap is 0."""
    truth = rng.normal(size=rows)
    predicted = truth + rng.normal(size=rows)
    error = truth - predicted
    scores = Scores(
        task="regression",
        metrics={"rmse": float(np.sqrt(np.mean(error**2)))},
        truth=truth,
        predicted=predicted,
        classes=(),
        positive=None,
        probabilities=np.empty((rows, 0)),
        matrix=np.empty((0, 0), dtype=np.int64),
    )
    draws = resampled([statistic_of(scores, "rmse")], rows, 400, seed)
    return Part(scores, scores, scores, {"rmse": draws[0]}, seed)


def test_the_gaps_interval_covers_the_true_gap() -> None:
    rng = np.random.default_rng(0)
    covered = [
        found.low <= 0 <= found.high
        for seed in range(400)
        for found in [gap(part_of(rng, 300, seed), part_of(rng, 200, seed + 1000), "rmse")]
    ]
    # 95 % of 400, give or take twice its standard error.
    assert 0.925 <= np.mean(covered) <= 0.975


def simulated(seed: int, rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(rows, 3)), columns=["a", "b", "c"])
    return table.assign(q=table["a"] + 0.5 * table["b"] + rng.normal(size=rows))


KINDS = dict.fromkeys(("a", "b", "c"), "double")


def refitter_of(
    estimator: object, table: pd.DataFrame, seed: int = 0
) -> tuple[Model, Refitter, int]:
    fitted = estimator.fit(table[list(KINDS)], table["q"])  # type: ignore[attr-defined]
    model = Model(fitted, "regression", "q", KINDS, {})
    folds = make_folds(table, model, 5, seed, time_column="", group_column="")
    return model, Refitter(model, table, folds, ["rmse"], "auto"), folds.count


@pytest.mark.slow
def test_a_sound_line_is_seldom_blamed() -> None:
    from sklearn.linear_model import Ridge

    blamed = 0
    for seed in range(30):
        table = simulated(seed)
        model, refitter, folds = refitter_of(Ridge(alpha=1.0), table, seed)
        curves = refit(refitter, folds, main_parameter(model.estimator), Clock(60))
        setting = best_alternative(curves, "rmse", len(table))
        assert setting is not None
        assert setting.is_confirmed
        blamed += replace(SOUND, over_guess=gain(0.4)).is_better(setting)
    # At most 5 % in the long run, so of 30 seldom more than 4.
    assert blamed <= 4


def test_the_cross_validation_covers_what_new_rows_say() -> None:
    from sklearn.linear_model import Ridge

    covered = []
    for seed in range(30):
        _, refitter, folds = refitter_of(Ridge(), simulated(seed), seed)
        curves = refit(refitter, folds, None, Clock(60))
        found = mean_of(curves, curves.cross_validation.held_out["rmse"])
        covered.append(found.low <= 1.007 <= found.high)  # sqrt(1 + 3 / 240), of a line's error
        assert fold_gap(curves, "rmse").mean > -0.2
    # The correction errs on the safe side.
    assert np.mean(covered) >= 0.9


def test_a_slope_is_a_gain_for_each_doubling() -> None:
    from sklearn.tree import DecisionTreeRegressor

    table = simulated(1, 2000).assign(q=lambda each: np.sin(3 * each["a"]))
    _, refitter, folds = refitter_of(DecisionTreeRegressor(random_state=0), table)
    curves = refit(refitter, folds, None, Clock(60))
    assert [each.rows for each in curves.learning] == [400, 800, 1600]
    means = [float(each.held_out["rmse"].mean()) for each in curves.learning]
    slope = slope_of(curves, "rmse")
    assert slope is not None
    assert slope.low > 0
    # Of three points at equal distances the line's slope is that between the outer two.
    assert slope.mean == pytest.approx((means[0] - means[2]) / 2)


def test_without_time_one_point_is_made_and_the_rest_named() -> None:
    from sklearn.linear_model import Ridge

    model, refitter, folds = refitter_of(Ridge(), simulated(1))
    curves = refit(refitter, folds, main_parameter(model.estimator), Clock(0))
    assert len(curves.learning) == 1
    assert curves.validation == []
    assert slope_of(curves, "rmse") is None
    assert best_alternative(curves, "rmse", 300) is None
    assert [note.partition(" ")[0] for note in curves.notes] == ["cross-validation", "the"]
