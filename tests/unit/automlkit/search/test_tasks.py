"""What tasks do, in this process."""

import cloudpickle
import numpy as np
import pandas as pd
import pytest

from automlkit.search.context import Fold
from automlkit.search.tasks import (
    FinalWork,
    FoldDone,
    FoldWork,
    predict_milliseconds,
    stopping_rows,
)


def work(keep=None, **config):
    return FoldWork(0, "Fake", config, 0, 1, 1, keep)


def test_a_fold_is_predicted_without_its_rows(fakes):
    context = fakes.context()
    fold = context.rounds[0][1]
    answer = work()(context)
    expected = context.target.iloc[fold.train].mean()
    assert answer.predictions == pytest.approx(np.full(len(fold.valid), expected), rel=1e-6)
    truth = context.target.iloc[fold.valid]
    error = np.sqrt(np.mean((truth - expected) ** 2))
    assert answer.metrics["root_mean_squared_error"] == pytest.approx(error)
    spread = context.target.max() - context.target.min()
    assert answer.metrics["normalized_root_mean_squared_error"] == pytest.approx(error / spread)


def test_a_class_that_the_fold_did_not_see_has_probability_0(fakes):
    context = fakes.context(classes=["a", "b"])
    context.classes.append("c")
    answer = work()(context)
    assert answer.predictions.shape == (20, 3)
    assert (answer.predictions[:, 2] == 0).all()
    assert answer.predictions.sum(axis=1) == pytest.approx(np.ones(20))


def test_weights_of_rows_count(fakes):
    context = fakes.context()
    heavy = np.where(np.arange(60) == context.rounds[0][1].train[0], 1e9, 1.0)
    weighted = type(context)(**{**vars(context), "weights": pd.Series(heavy)})
    answer = work()(weighted)
    assert answer.predictions[0] == pytest.approx(context.target[int(heavy.argmax())], rel=1e-4)


def test_predictions_that_are_no_numbers_are_a_failure(fakes):
    with pytest.raises(ValueError, match="finite"):
        work(factor=float("nan"))(fakes.context())


def test_a_slow_model_is_kept(fakes, tmp_path):
    quick, slow = tmp_path / "quick.pkl", tmp_path / "slow.pkl"
    assert isinstance(work(quick)(fakes.context()), FoldDone)
    work(slow, do="sleep", seconds=1.1)(fakes.context())
    assert not quick.exists()
    assert cloudpickle.loads(slow.read_bytes()).mean_ > 0


def test_a_final_model_is_fitted_on_all_rows(fakes, tmp_path):
    context = fakes.context()
    FinalWork(0, "Fake", {}, 3, 1, tmp_path / "model.pkl")(context)
    model = cloudpickle.loads((tmp_path / "model.pkl").read_bytes())
    assert model.mean_ == pytest.approx(context.target.mean())


def test_many_validation_rows_serve_early_stopping():
    fold = Fold(np.arange(3000), np.arange(3000, 4500))
    rows, aside = stopping_rows(fold, False, pd.Series(np.zeros(4500)), 0)
    assert rows is fold.train
    assert aside is fold.valid


def test_of_few_validation_rows_none_serves_early_stopping():
    fold = Fold(np.arange(100), np.arange(100, 120))
    target = pd.Series(["a", "b"] * 60)
    rows, aside = stopping_rows(fold, True, target, 0)
    assert np.array_equal(np.sort(np.concatenate([rows, aside])), fold.train)
    assert (target.iloc[aside] == "a").sum() == 10


def test_a_class_of_one_row_does_not_stop_the_setting_aside():
    target = pd.Series(["a"] * 99 + ["b"] * 21)
    target[0] = "rare"
    rows, _ = stopping_rows(Fold(np.arange(100), np.arange(100, 120)), True, target, 0)
    assert len(rows) == 80


def test_the_time_of_a_row_is_in_milliseconds():
    table = pd.DataFrame({"x": [1.0, 2.0]})
    asked = []
    milliseconds = predict_milliseconds(lambda row: asked.append(len(row)), table)
    assert set(asked) == {1}
    assert 0 < milliseconds < 100
