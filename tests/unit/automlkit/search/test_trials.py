"""Trials and the folder that keeps them."""

import numpy as np

from automlkit.search.tasks import FoldDone
from automlkit.search.trials import Store, Trial, mean_metrics, plain


def fold(value, accuracy):
    return FoldDone(np.full((2, 2), value, np.float32), 1.5, 2.0 + value, 7, {"accuracy": accuracy})


def completed(number=3):
    trial = Trial(number, "LightGBM", {"num_leaves": 4})
    trial.complete(0, {1: fold(0.75, 0.5), 0: fold(0.25, 1.0)})
    return trial


def test_folds_are_put_together_in_their_order():
    trial = completed()
    assert trial.predictions[0][:, 0].tolist() == [0.25, 0.25, 0.75, 0.75]
    assert trial.metrics == {"accuracy": 0.75}
    assert (trial.seconds, trial.predict_ms, trial.iterations) == (3.0, 2.25, [7, 7])
    assert trial.status == "Completed"


def test_a_further_round_refines_the_metrics_only():
    trial = completed()
    trial.complete(1, {0: fold(0.5, 0.0), 1: fold(0.5, 0.0)})
    assert trial.metrics == {"accuracy": 0.375}
    assert trial.seconds == 3.0


def test_what_is_saved_is_loaded(tmp_path):
    store = Store(tmp_path, "key")
    trial, failed = completed(), Trial(4, "KNN", {}, "Failed", "it broke")
    store.save(trial)
    store.save(failed)
    first, second = Store(tmp_path, "key").load()
    assert np.array_equal(first.predictions.pop(0), trial.predictions.pop(0))
    assert (first, second) == (trial, failed)


def test_a_torn_file_is_left_out(tmp_path):
    store = Store(tmp_path, "key")
    store.save(completed(0))
    store.save(completed(1))
    store.save(completed(2))
    (tmp_path / "00000.npz").write_bytes(b"PK torn")
    whole = (tmp_path / "00001.npz").read_bytes()
    (tmp_path / "00001.npz").write_bytes(whole[: len(whole) // 2])
    assert [trial.number for trial in store.load()] == [2]


def test_trials_of_other_data_are_dropped(tmp_path):
    store = Store(tmp_path, "key")
    store.save(completed())
    store.model_file(3).write_bytes(b"model")
    assert Store(tmp_path, "another").load() == []
    assert not store.model_file(3).exists()


def test_models_are_kept_of_some(tmp_path):
    store = Store(tmp_path, "key")
    for number in (1, 2, 13):
        store.model_file(number).write_bytes(b"model")
    store.keep_models({2, 13})
    assert sorted(path.stem for path in store.models.iterdir()) == ["13", "2"]


def test_metrics_that_a_fold_lacks_or_that_are_no_numbers_are_left_out():
    folds = [{"a": 1.0, "b": 2.0, "c": float("nan")}, {"a": 3.0, "c": 1.0}]
    assert mean_metrics(folds) == {"a": 2.0}
    assert mean_metrics([]) == {}


def test_hyperparameters_are_values_of_json():
    found = plain({"a": np.float64(0.5), "b": np.int64(3), "c": "text"})
    assert [type(value) for value in found.values()] == [float, int, str]
