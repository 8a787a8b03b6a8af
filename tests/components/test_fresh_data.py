from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import fresh_data
import pandas as pd
import pytest
import split
from tests.unit.stepkit.test_collected import collect

from stepkit.program import StepError
from stepkit.table import read_table

NOW = datetime.now(timezone.utc).replace(microsecond=0)


class Endpoint:
    """What two deployments of an endpoint have collected, and what became known of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "truth").mkdir()
        self.rows = 0

    def ask(self, deployment: str, count: int, *, hours_ago: float = 1, **values: Any) -> None:
        for _ in range(count):
            number, self.rows = self.rows, self.rows + 1
            time = NOW - timedelta(hours=hours_ago) + timedelta(seconds=number)
            row = {"age": 20 + number % 50, "sex": "F" if number % 2 else "M", **values}
            collect(self.collection(deployment), time, f"id-{number}", [row])

    def collection(self, deployment: str) -> Path:
        return self.folder / "collected" / deployment / "model_inputs"

    def know(self, *numbers: int, file: str = "a.csv", income: str = "high") -> None:
        lines = [f"id-{number},{income}\n" for number in numbers]
        (self.folder / "truth" / file).write_text("correlationid,income\n" + "".join(lines))

    def old(self, count: int = 100) -> list[str]:
        table = pd.DataFrame(
            {
                "age": range(count),
                "sex": ["F", "M"] * (count // 2),
                "weight": 1.0,
                "income": ["low", "high"] * (count // 2),
            }
        )
        table.to_parquet(self.folder / "old.parquet")
        return ["--old-data", str(self.folder / "old.parquet")]

    def make(self, *arguments: str, collected: str = "") -> tuple[pd.DataFrame, dict[str, Any]]:
        table, report = self.folder / "table", self.folder / "report"
        fresh_data.main(
            [
                *("--collected", str(self.folder / "collected" / collected)),
                *("--ground-truth", str(self.folder / "truth"), "--target", "income"),
                *("--minimum-rows", "5", "--table", str(table), "--report", str(report)),
                *arguments,
            ]
        )
        return read_table(table), json.loads((report / "fresh_data.json").read_text())


@pytest.fixture
def endpoint(tmp_path: Path) -> Endpoint:
    return Endpoint(tmp_path)


def test_collected_rows_get_their_truth_and_their_time(endpoint: Endpoint) -> None:
    endpoint.ask("blue", 6)
    endpoint.ask("green", 4)
    endpoint.know(*range(8))
    table, report = endpoint.make()
    assert list(table.columns) == ["age", "sex", "income", "collected"]
    assert list(table["age"]) == list(range(20, 28))
    assert set(table["income"]) == {"high"}
    assert table["collected"].is_monotonic_increasing
    assert (report["collected_rows"], report["fresh_rows"], report["old_rows"]) == (10, 8, 0)
    begin, end = map(datetime.fromisoformat, report["data_window"].split("/"))
    assert end - begin == timedelta(days=30)
    assert begin < datetime.fromisoformat(report["first"]) < datetime.fromisoformat(report["last"])
    assert table.attrs == {"data_window": report["data_window"]}


@pytest.mark.parametrize("folder", ["", "blue", "blue/model_inputs"])
def test_an_endpoint_a_deployment_or_a_collection_is_read(endpoint: Endpoint, folder: str) -> None:
    endpoint.ask("blue", 6)
    endpoint.know(*range(6))
    assert len(endpoint.make(collected=folder)[0]) == 6


def test_a_mirrored_request_counts_once(endpoint: Endpoint) -> None:
    endpoint.ask("blue", 6)
    for file in endpoint.collection("blue").rglob("*.jsonl"):
        again = endpoint.collection("green") / file.relative_to(endpoint.collection("blue"))
        again.parent.mkdir(parents=True)
        again.write_text(file.read_text())
    endpoint.know(*range(6))
    assert endpoint.make()[1]["collected_rows"] == 6


def test_only_the_window_counts(endpoint: Endpoint) -> None:
    endpoint.ask("blue", 6, hours_ago=50)
    endpoint.ask("blue", 5)
    endpoint.know(*range(11))
    assert endpoint.make("--window-days", "1")[1]["fresh_rows"] == 5


def test_old_rows_have_their_share_and_come_first(endpoint: Endpoint) -> None:
    endpoint.ask("blue", 30)
    endpoint.know(*range(30))
    table, report = endpoint.make("--old-share", "0.25", *endpoint.old())
    assert (report["fresh_rows"], report["old_rows"], len(table)) == (30, 10, 40)
    assert report["notes"] == ["columns that are not collected are left out: weight"]
    begin = datetime.fromisoformat(report["data_window"].split("/")[0])
    assert (table["collected"][:10] == pd.Timestamp(begin)).all()
    assert (table["collected"][10:] > pd.Timestamp(begin)).all()
    assert endpoint.make("--old-share", "0", *endpoint.old())[1]["old_rows"] == 0
    few, report = endpoint.make("--old-share", "0.5", *endpoint.old(4))
    assert (len(few), report["old_rows"]) == (34, 4)


def test_the_newest_rows_are_the_test_part_of_a_split_by_time(endpoint: Endpoint) -> None:
    endpoint.ask("blue", 40)
    endpoint.know(*range(40))
    endpoint.make("--old-share", "0.2", *endpoint.old())
    parts = {name: endpoint.folder / name for name in ("train", "test", "split")}
    split.main(
        [
            *("--data", str(endpoint.folder / "table"), "--target", "income"),
            *("--method", "time", "--column", "collected", "--train", str(parts["train"])),
            *("--test", str(parts["test"]), "--report", str(parts["split"])),
        ]
    )
    train, test = read_table(parts["train"]), read_table(parts["test"])
    assert len(test) == 10
    assert train["collected"].max() < test["collected"].min()
    # So the version of the model that is trained on them can tell it.
    assert train.attrs["data_window"] == read_table(endpoint.folder / "table").attrs["data_window"]


def test_too_few_known_rows_are_told(endpoint: Endpoint) -> None:
    endpoint.ask("blue", 10)
    endpoint.know(1, 2)
    with pytest.raises(StepError, match="the truth of 2 of 10 collected rows is known, at least 5"):
        endpoint.make()
    assert not (endpoint.folder / "table").exists()


def test_what_is_redacted_is_not_learned_from(endpoint: Endpoint) -> None:
    endpoint.ask("blue", 10, sex=None)
    endpoint.know(*range(10))
    with pytest.raises(StepError, match="no collected row has a value of sex") as refused:
        endpoint.make(*endpoint.old())
    assert "drop=sex" in refused.value.hint
    table, _ = endpoint.make("--drop", "sex", *endpoint.old())
    assert list(table.columns) == ["age", "income", "collected"]


def test_truth_comes_in_tables_of_any_form_and_twice(endpoint: Endpoint) -> None:
    endpoint.ask("blue", 12)
    endpoint.know(*range(4))
    endpoint.know(2, 3, 4, file="b.csv")
    lines = [json.dumps({"correlationid": f"id-{n}", "income": "low"}) for n in (5, 6)]
    (endpoint.folder / "truth/c.jsonl").write_text("\n".join(lines))
    table, _ = endpoint.make()
    assert list(table["income"]) == ["high"] * 5 + ["low"] * 2


def test_a_row_of_which_two_things_are_told_does_not_count(endpoint: Endpoint) -> None:
    endpoint.ask("blue", 8)
    endpoint.know(*range(8))
    endpoint.know(3, file="b.csv", income="low")
    assert endpoint.make()[1]["fresh_rows"] == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda it: it.collection("blue").rename(it.folder / "away"), "nothing was collected in"),
        (lambda it: (it.folder / "truth/a.csv").unlink(), "no truth is known: no table in"),
        (
            lambda it: (it.folder / "truth/a.csv").write_text("correlationid,pay\nid-1,high\n"),
            "no column of the ground truth 'income'",
        ),
        (lambda it: it.ask("blue", 1, income="high"), "have a column 'income' themselves"),
        (lambda it: it.ask("blue", 1, collected=3), "have a column 'collected'"),
        (lambda it: it.ask("blue", 1, hat="on"), "the old rows lack columns of the collected ones"),
    ],
)
def test_what_cannot_be_joined_is_told(endpoint: Endpoint, change: Any, message: str) -> None:
    endpoint.ask("blue", 8)
    endpoint.know(*range(8))
    change(endpoint)
    with pytest.raises(StepError, match=message):
        endpoint.make(*endpoint.old())


def test_the_test_part_is_not_of_old_rows(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--collected", "a", "--ground-truth", "b", "--target", "c", "--old-share", "0.6"]
    with pytest.raises(SystemExit):
        fresh_data.parse([*given, "--table", "d", "--report", "e"])
    assert "the test part is of fresh rows" in capsys.readouterr().err
