from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from raikit.counterfactual import (
    Counterfactuals,
    Settings,
    generate,
    importance,
    sections,
    summary_importance,
)
from stepkit.findings import write_findings
from stepkit.model import Model
from stepkit.program import StepError

FEW = Settings(total_cfs=4, immutable=("age", "sex"), seconds=20)


def low(rows: pd.DataFrame, model: Model, count: int = 4) -> pd.DataFrame:
    """Return rows of whom the model says low, of which some have missing values."""
    said = model.estimator.predict(rows[list(model.features)])
    return rows[said == "low"].iloc[:count]


@pytest.mark.parametrize("method", ["random", "kdtree", "genetic"])
@pytest.mark.slow
def test_every_counterfactual_is_what_was_asked_for(method, classifier, train, test_rows) -> None:
    rows = low(test_rows, classifier, 2 if method == "genetic" else 6)
    found = list(generate(classifier, train, rows, replace(FEW, method=method)))
    assert [each.index for each in found] == list(rows.index)
    assert sum(len(each.table) > 0 for each in found) >= len(found) - 1
    for each in found:
        assert (each.predicted, each.wanted) == ("low", "high")
        assert len(each.table) <= 4
        if not len(each.table):
            continue
        said = classifier.estimator.predict(each.table[list(classifier.features)])
        assert set(said) == {"high"}
        assert list(each.outcomes) == ["high"] * len(each.table)
        assert not each.table.duplicated().any()
        for place in range(len(each.table)):
            changes = each.changes(place)
            assert set(changes) <= {"hours", "job"}
            assert len(changes) == each.changed[place]
            assert each.distance[place] > 0
        assert each.changed[0] == min(each.changed)


def test_no_change_is_more_than_is_needed(classifier, train, test_rows) -> None:
    for each in generate(classifier, train, low(test_rows, classifier), FEW):
        for place in range(len(each.table)):
            changes = each.changes(place)
            for name, (old, _) in changes.items():
                back = each.table.iloc[[place]].assign(**{name: old})
                assert classifier.estimator.predict(back)[0] == "low"


def test_different_ways_come_before_more_of_the_same(classifier, train, test_rows) -> None:
    rows = low(test_rows[test_rows["job"] == "farm"], classifier, 4)
    ways = [
        [tuple(each.changes(place)) for place in range(len(each.table))]
        for each in generate(classifier, train, rows, FEW)
    ]
    assert any(len(set(way)) > 1 for way in ways)
    for way in ways:
        assert len(set(way[: len(set(way))])) == len(set(way))


def test_what_is_missing_stays_missing(classifier, train, test_rows) -> None:
    rows = low(test_rows[test_rows["job"].isna()], classifier, 3)
    for each in generate(classifier, train, rows, FEW):
        assert len(each.table)
        assert each.table["job"].isna().all()


def test_only_permitted_values_are_taken(classifier, train, test_rows) -> None:
    asked = replace(
        FEW,
        features_to_vary=("hours", "job", "age"),
        immutable=("age",),
        permitted_range={"hours": [20, 50], "job": ["office"]},
    )
    rows = low(test_rows, classifier, 8)
    values = [
        change
        for each in generate(classifier, train, rows, asked)
        for place in range(len(each.table))
        for change in each.changes(place).items()
    ]
    assert values
    for name, (_, new) in values:
        assert new == "office" if name == "job" else 20 <= new <= 50
        assert name != "age"


def test_a_quantity_comes_into_its_range(regressor) -> None:
    train = pd.DataFrame({"a": np.linspace(-3, 3, 61), "b": np.linspace(3, -3, 61)})
    row = pd.DataFrame({"a": [0.1], "b": [0.2]})
    asked = Settings(total_cfs=3, desired_range=(2.0, 3.0))
    (found,) = generate(regressor, train, row, asked)
    assert found.predicted == pytest.approx(0.4)
    assert len(found.table) == 3
    assert ((found.outcomes >= 2) & (found.outcomes <= 3)).all()
    assert found.outcomes == pytest.approx(2 * found.table["a"] + found.table["b"])
    # Training has one decimal, and so have counterfactuals.
    assert found.table.to_numpy() == pytest.approx(np.round(found.table.to_numpy(), 1))


def test_what_is_as_wanted_needs_no_counterfactual(regressor) -> None:
    train = pd.DataFrame({"a": [0.0, 1.0], "b": [0.0, 1.0]})
    (found,) = generate(regressor, train, train.iloc[[1]], Settings(desired_range=(2.5, 3.5)))
    assert found.table.empty
    assert list(found.table.columns) == ["a", "b"]


def three_classes() -> tuple[Model, pd.DataFrame]:
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"x": rng.uniform(0, 9, 300), "flag": rng.random(300) < 0.5})
    fitted = LogisticRegression().fit(table, (table["x"] // 3).astype(int))
    return Model(fitted, "classification", "y", {"x": "double", "flag": "boolean"}, {}), table


def test_the_next_class_is_the_most_probable_other() -> None:
    model, table = three_classes()
    row = pd.DataFrame({"x": [1.0], "flag": [True]})
    (found,) = generate(model, table, row, Settings(total_cfs=2, desired_class="next"))
    assert (found.predicted, found.wanted) == ("0", "1")
    assert set(model.estimator.predict(found.table)) == {1}
    assert found.table["flag"].dtype == bool


def test_of_two_classes_written_as_numbers_the_other_is_the_opposite() -> None:
    model, table = three_classes()
    fitted = LogisticRegression().fit(table, (table["x"] > 5).astype(int))
    model = replace(model, estimator=fitted)
    (found,) = generate(model, table, pd.DataFrame({"x": [8.0], "flag": [False]}), Settings())
    assert (found.predicted, found.wanted) == ("1", "0")
    assert len(found.table)


class Slow:
    """A model that takes its time, and never changes its mind."""

    classes_ = np.asarray(["no", "yes"])

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        time.sleep(0.05)
        return np.tile([0.9, 0.1], (len(rows), 1))


@pytest.mark.parametrize("method", ["random", "genetic"])
def test_a_search_ends_in_time(method) -> None:
    model = Model(Slow(), "classification", "y", {"a": "double", "b": "double"}, {})
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 2)), columns=["a", "b"])
    # The first search of a process imports DiCE.
    list(generate(model, table, table.iloc[:1], Settings(seconds=0.01)))
    begun = time.monotonic()
    (found,) = generate(model, table, table.iloc[:1], Settings(method=method, seconds=0.5))
    assert found.table.empty
    assert time.monotonic() - begun < 5


def test_the_same_seed_gives_the_same(classifier, train, test_rows) -> None:
    rows = low(test_rows, classifier, 2)
    state = np.random.get_state()[1].copy()
    first, again = (list(generate(classifier, train, rows, FEW)) for _ in range(2))
    for one, two in zip(first, again, strict=True):
        pd.testing.assert_frame_equal(one.table, two.table)
    assert (np.random.get_state()[1] == state).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "gradient"}, "no method 'gradient'"),
        ({"total_cfs": 0}, "total_CFs is 0"),
        ({"immutable": ("agee",)}, "no immutable column 'agee'"),
        ({"features_to_vary": ("wage",)}, "no column to vary 'wage'"),
        ({"features_to_vary": ("sex",), "immutable": ("sex",)}, "no column may vary"),
        ({"desired_class": "rich"}, "no class 'rich'"),
        ({"desired_range": (0, 1)}, "desired_range is for regression"),
        ({"permitted_range": {"hours": [40]}}, "permitted_range of 'hours'"),
        ({"permitted_range": {"hours": [50, 40]}}, "goes from 50.0 to 40.0"),
        ({"permitted_range": {"job": []}}, "allows 'job' no value"),
    ],
)
def test_what_cannot_be_asked_is_said(change, message, classifier, train, test_rows) -> None:
    with pytest.raises(StepError, match=message.replace("(", r"\(")):
        list(generate(classifier, train, test_rows.iloc[:1], replace(FEW, **change)))


def test_a_range_must_be_given_and_an_opposite_exist(regressor) -> None:
    table = pd.DataFrame({"a": [0.0, 1.0], "b": [0.0, 1.0]})
    with pytest.raises(StepError, match="need a range"):
        list(generate(regressor, table, table, Settings()))
    with pytest.raises(StepError, match="lowest first"):
        list(generate(regressor, table, table, Settings(desired_range=(3, 2))))
    model, rows = three_classes()
    with pytest.raises(StepError, match="no opposite among 3 classes"):
        list(generate(model, rows, rows.iloc[:1], Settings()))


def made(rows: list[tuple[float, float]]) -> Counterfactuals:
    table = pd.DataFrame(rows, columns=["a", "b"])
    return Counterfactuals(
        0,
        pd.DataFrame({"a": [0.0], "b": [np.nan]}),
        "no",
        "yes",
        table,
        np.asarray(["yes"] * len(rows)),
        np.ones(len(rows), dtype=int),
        np.ones(len(rows)),
    )


def test_importance_is_the_share_of_counterfactuals_that_differ() -> None:
    some = made([(0.0, 1.0), (2.0, np.nan), (3.0, np.nan), (4.0, 5.0)])
    assert importance(some) == {"a": 0.75, "b": 0.5}
    assert importance(made([])) == {"a": 0.0, "b": 0.0}
    one = made([(0.0, 1.0)])
    assert summary_importance([some, made([]), one]) == {"a": 0.6, "b": 0.6}


def test_sections_tell_of_rows_that_the_model_refuses(
    classifier, train, test_rows, tmp_path
) -> None:
    # In sorted order low is the last, so those are asked about of whom it says high.
    figures, (section,) = sections(classifier, train, test_rows, replace(FEW, rows=3))
    assert [each.name for each in figures] == ["counterfactual_found", "counterfactual_changes"]
    assert figures[0].value is not None
    assert figures[0].sample == 3
    assert "Never changed: age, sex." in section.words[0]
    bars, choice = section.blocks
    assert set(bars.names) <= {"hours", "job"}
    for blocks in choice.options.values():
        assert blocks[0].rows[0][0] == "as it is"
        assert blocks[0].rows[0][-2] == "high"
        assert {row[-2] for row in blocks[0].rows[1:]} == {"low"}
    write_findings(tmp_path, "responsible_ai", [section])


def test_sections_of_a_quantity_ask_for_the_upper_half(regressor) -> None:
    table = pd.DataFrame({"a": np.linspace(-3, 3, 61), "b": 1.0})
    figures, (section,) = sections(regressor, table, table, Settings(rows=2, total_cfs=2))
    assert figures[0].value == 1.0
    assert "between 1 and 7" in section.words[0]


def test_sections_say_where_nothing_is_to_be_changed(regressor) -> None:
    table = pd.DataFrame({"a": [0.0, 1.0], "b": [0.0, 1.0]})
    figures, (section,) = sections(regressor, table, table, Settings(desired_range=(-9, 9)))
    assert figures[0].value is None
    assert "already has the wanted answer" in section.words[0]
