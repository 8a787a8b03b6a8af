from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from automlkit.columns import purposes
from automlkit.featurize import featurization_rows, make_featurizer
from automlkit.request import Featurization
from stepkit.program import StepError

ROWS = 400
SOME = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "number": SOME.normal(size=ROWS),
        "grade": np.arange(ROWS) % 6,
        "kind": [f"k{n % 4}" for n in range(ROWS)],
        "place": [f"p{n % 150}" for n in range(ROWS)],
        "day": pd.date_range("2022-01-01", periods=ROWS).astype(str),
        "note": [f"some words {n} about {n % 7} things" for n in range(ROWS)],
        "id": np.arange(ROWS),
    }
)
X.loc[::9, "number"] = np.nan
Y = np.arange(ROWS) % 2


def made(flavor: Any = "linear", frame: pd.DataFrame = X, **given: Any) -> Any:
    featurization = Featurization(**{"mode": "custom", **given})
    columns = purposes(frame, featurization)
    featurizer = make_featurizer(columns, featurization, flavor, class_count=2)
    featurizer.fit(frame, Y)
    return featurizer, featurization_rows(columns, featurizer)


def summary(flavor: Any, **given: Any) -> dict[str, list[str]]:
    return {row["column"]: row["transformers"] for row in made(flavor, **given)[1]}


def test_linear_models_get_indicators() -> None:
    assert summary("linear") == {
        "number": ["Imputer"],
        "grade": ["Imputer", "OneHotEncoder"],
        "kind": ["OneHotEncoder"],
        "place": ["OneHotEncoder", "CatTargetEncoder"],
        "day": ["DateTimeTransformer"],
        "note": ["TfIdf"],
        "id": [],
    }


def test_trees_get_numbers_of_categories() -> None:
    of = summary("trees")
    assert of["grade"] == ["Imputer"]
    assert of["kind"] == ["LabelEncoder"]
    assert of["place"] == ["LabelEncoder", "CatTargetEncoder"]


@pytest.mark.parametrize("flavor", ["trees", "linear", "splines", "ebm"])
def test_every_flavor_takes_rows_as_they_come(flavor: Any) -> None:
    featurizer, rows = made(flavor)
    odd = pd.DataFrame([{**dict.fromkeys(X.columns), "extra": 1}, {**X.iloc[3], "kind": "new"}])
    table = featurizer.transform(odd)
    assert table.shape == (2, len(featurizer.feature_names_))
    assert np.isfinite(table).all() == (flavor in ("linear", "splines"))
    assert rows[0]["purpose"] == "Numeric"
    assert rows[-1]["features"] == 0


@pytest.mark.parametrize(
    ("flavor", "blocked", "kind", "place"),
    [
        ("linear", ["OneHotEncoder"], ["CatTargetEncoder"], ["CatTargetEncoder"]),
        ("linear", ["one_hot_encoder", "cat_target_encoder"], [], []),
        ("linear", ["CatTargetEncoder"], ["OneHotEncoder"], ["OneHotEncoder"]),
        ("trees", ["LabelEncoder"], ["OneHotEncoder"], ["OneHotEncoder", "CatTargetEncoder"]),
    ],
)
def test_blocked_transformers_are_not_used(
    flavor: str, blocked: list[str], kind: list[str], place: list[str]
) -> None:
    of = summary(flavor, blocked_transformers=tuple(blocked))
    assert (of["kind"], of["place"]) == (kind, place)


def test_blocked_texts_give_no_feature() -> None:
    assert summary("linear", blocked_transformers=("TfIdf",))["note"] == []


@pytest.mark.parametrize("flavor", ["trees", "linear"])
def test_imputers_of_named_columns_count_for_every_learner(flavor: Any) -> None:
    params = {
        "imputer": [
            {"fields": ["number"], "parameters": {"strategy": "constant", "fill_value": 50}}
        ]
    }
    featurizer, _ = made(flavor, transformer_params=params)
    table = featurizer.transform(X)
    place = featurizer.feature_names_.index("number")
    assert table[0, place] == table[:, place].max()
    if flavor == "trees":
        assert table[0, place] == 50


def test_hashes_stand_for_categories_where_asked() -> None:
    params = {"HashOneHotEncoder": [{"fields": [], "parameters": {"number_of_bits": 3}}]}
    of = {row["column"]: row for row in made("trees", transformer_params=params)[1]}
    assert (of["place"]["transformers"], of["place"]["features"]) == (["HashOneHotEncoder"], 8)
    assert of["kind"]["transformers"] == ["LabelEncoder"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"blocked_transformers": ("Imputer",)}, "names 'Imputer', which cannot stand there"),
        ({"transformer_params": {"WordEmbedding": []}}, "transformer_params names 'WordEmbedding'"),
        (
            {"transformer_params": {"Imputer": [{"parameters": {"strategy": "ffill"}}]}},
            "Imputer cannot take",
        ),
        (
            {"transformer_params": {"Imputer": [{"parameters": {"strategy": "constant"}}]}},
            "needs a number as fill_value",
        ),
        (
            {"transformer_params": {"HashOneHotEncoder": [{"parameters": {"bits": 3}}]}},
            "number_of_bits from 1 to 16",
        ),
        (
            {"transformer_params": {"TfIdf": [{"parameters": {"colour": "red"}}]}},
            "TfIdf takes no colour",
        ),
    ],
)
def test_wishes_that_cannot_be_followed_are_refused(given: Any, message: str) -> None:
    with pytest.raises(StepError, match=message):
        made("linear", **given)


def test_blocking_the_last_feature_is_refused() -> None:
    with pytest.raises(StepError, match="no feature is left"):
        made("linear", X[["note"]], blocked_transformers=("TfIdf",))


def test_many_classes_get_no_target_means() -> None:
    featurization = Featurization()
    columns = purposes(X[["place"]], featurization)
    featurizer = make_featurizer(columns, featurization, "linear", class_count=30)
    featurizer.fit(X, np.arange(ROWS) % 30)
    assert not [name for name in featurizer.feature_names_ if "mean target" in name]


def test_wishes_with_featurization_off_are_refused() -> None:
    with pytest.raises(StepError, match="its blocked_transformers would do nothing"):
        made("linear", X[["number"]], mode="off", blocked_transformers=("TfIdf",))


def test_without_featurization_linear_models_still_get_complete_numbers() -> None:
    featurizer, rows = made("linear", X[["number", "id"]], mode="off")
    assert featurizer.feature_names_ == ["number", "id"]  # no marks
    assert np.isfinite(featurizer.transform(X)).all()
    assert [row["purpose"] for row in rows] == ["Numeric", "Numeric"]
