from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from automlmodel.encoders import CategoryCodes, Numbers, OneHot, TargetMeans
from automlmodel.featurizer import Completion, Featurizer

FRAME = pd.DataFrame(
    {
        "x": [1.0, 2.0, None, 4.0, 5.0, 6.0],
        "n": [1, 2, 3, 4, 5, 6],
        "k": ["a", "b", "a", None, "a", "b"],
    }
)
Y = np.array([0, 1, 0, 1, 0, 1])


def linear(knots: int = 0) -> Featurizer:
    encoders = [Numbers(["x", "n"]), OneHot("k", 5)]
    return Featurizer(encoders, Completion("mean", markers=True, knots=knots), class_count=2)


def trees() -> Featurizer:
    return Featurizer([Numbers(["x", "n"]), CategoryCodes("k", 5)])


def test_trees_get_numbers_and_codes_with_gaps() -> None:
    featurizer = trees()
    table = featurizer.fit_transform(FRAME, Y)
    assert featurizer.feature_names_ == ["x", "n", "k"]
    assert featurizer.categorical_features_ == [2]
    assert np.isnan(table[2, 0])
    assert np.isnan(table[3, 2])
    assert table[:3, 2].tolist() == [0, 1, 0]


def test_linear_models_get_complete_scaled_features_and_marks() -> None:
    featurizer = linear()
    table = featurizer.fit_transform(FRAME, Y)
    names = ["x", "n", "k=a", "k=b", "k=(missing)", "x missing"]
    assert featurizer.feature_names_ == names
    assert np.isfinite(table).all()
    assert table[:, :2].mean(axis=0) == pytest.approx([0, 0])
    assert table[:, :2].std(axis=0) == pytest.approx([1, 1])
    assert table[2, 0] == pytest.approx(0)  # filled with the mean
    assert table[:, 5].tolist() == [0, 0, 1, 0, 0, 0]
    assert set(table[:, 2:].ravel()) == {0.0, 1.0}


def test_bends_are_named_and_scaled() -> None:
    frame = pd.DataFrame({"x": np.linspace(0, 1, 50), "n": range(50), "k": ["a"] * 50})
    featurizer = linear(knots=5)
    table = featurizer.fit_transform(frame, np.arange(50) % 2)
    assert featurizer.feature_names_[-1] == "n bend 2"
    assert table.shape == (50, len(featurizer.feature_names_))
    assert table[:, -1].std() == pytest.approx(1)


def test_each_row_alone_is_as_among_others() -> None:
    for featurizer in (linear(), trees()):
        whole = featurizer.fit_transform(FRAME, Y)
        single = np.vstack([featurizer.transform(FRAME.iloc[[place]]) for place in range(6)])
        np.testing.assert_array_equal(whole, single)


def test_columns_may_be_more_and_in_another_order_but_not_fewer() -> None:
    featurizer = linear()
    expected = featurizer.fit_transform(FRAME, Y)
    other = FRAME[["k", "n", "x"]].assign(extra="?")
    np.testing.assert_array_equal(featurizer.transform(other), expected)
    with pytest.raises(ValueError, match="needs the column 'k'"):
        featurizer.transform(FRAME[["x", "n"]])


def test_other_types_of_the_same_numbers_change_nothing() -> None:
    featurizer = linear()
    expected = featurizer.fit_transform(FRAME, Y)
    other = FRAME.assign(x=FRAME["x"].astype("Float32"), n=FRAME["n"].astype(object))
    np.testing.assert_allclose(featurizer.transform(other), expected)


def test_it_survives_a_pickle() -> None:
    featurizer = linear()
    expected = featurizer.fit_transform(FRAME, Y)
    again = pickle.loads(pickle.dumps(featurizer))
    np.testing.assert_array_equal(again.transform(FRAME), expected)


def test_target_means_are_of_the_second_class_or_of_each_of_more() -> None:
    two = Featurizer([TargetMeans("k")], None, class_count=2)
    assert two.fit_transform(FRAME, Y).shape == (6, 1)
    three = Featurizer([TargetMeans("k")], None, class_count=3)
    assert three.fit_transform(FRAME, np.array([0, 1, 2, 0, 1, 2])).shape == (6, 3)
    quantity = Featurizer([TargetMeans("k")], None)
    quantity.fit(FRAME, Y * 10.0)
    assert quantity.transform(pd.DataFrame({"k": ["new"]}))[0, 0] == 5.0


def test_a_column_without_spread_does_no_harm() -> None:
    frame = FRAME.assign(n=3)
    table = linear().fit_transform(frame, Y)
    assert np.isfinite(table).all()
    assert not table[:, 1].any()
