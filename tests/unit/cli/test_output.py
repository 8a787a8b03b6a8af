from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.cli.fakes import command, pipeline, step, terminal

from amlocal.cli.output import plain, render, select
from amlocal.errors import UsageError
from amlocal.plan import JobStatus

PIPE = terminal(tty=False)
ROWS = [{"name": "b", "status": "Failed", "tags": {}}, {"name": "a", "status": None, "tags": {}}]


def test_plain_values_hold_every_field() -> None:
    data = plain(pipeline(step("train", JobStatus.FAILED)))
    wanted = {"name", "type", "status", "metrics", "inputs", "outputs", "children", "tracking"}
    assert wanted <= data.keys()
    assert data["metrics"] == {}
    assert data["children"][0]["status"] == "Failed"
    assert type(data["status"]) is str
    assert data["tracking"]["serving"] is None


def test_json_is_json_whatever_a_metric_was() -> None:
    job = command(metrics={"loss": math.nan, "best": math.inf, "worst": -math.inf})
    text = render(plain(job), "json", PIPE)
    found = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert found["metrics"] == {"loss": "NaN", "best": "Infinity", "worst": "-Infinity"}
    assert plain({"path": Path("/a"), "many": (1, 2)}) == {"path": "/a", "many": [1, 2]}


def test_json_is_ascii_where_the_stream_is() -> None:
    assert render("é", "json", terminal(encoding="ascii")) == '"\\u00e9"\n'
    assert render("é", "json", terminal(encoding="utf-8")) == '"é"\n'


@pytest.mark.parametrize("form", ["yaml", "yamlc"])
def test_yaml_of_a_query_is_plain_yaml(form: str) -> None:
    text = render(select(ROWS, "[].{status:status,name:name}"), form, PIPE)
    assert yaml.safe_load(text) == [
        {"status": "Failed", "name": "b"},
        {"status": None, "name": "a"},
    ]
    assert "!!" not in text


def test_coloured_formats_have_colours_on_terminals_alone() -> None:
    data = {"name": "a", "count": 3}
    assert json.loads(render(data, "jsonc", PIPE)) == data
    coloured = render(data, "jsonc", terminal())
    assert "\x1b[" in coloured
    assert "\x1b[" not in render(data, "jsonc", terminal(NO_COLOR="1"))


# Each expectation is what `knack.output` prints, the library of the Azure CLI.
@pytest.mark.parametrize(
    ("data", "query", "text"),
    [
        (ROWS, "[].[name,status]", "b\tFailed\na\tNone\n"),
        (ROWS, "[].{status:status,name:name}", "Failed\tb\nNone\ta\n"),
        ([{"b": 1, "a": 2}], None, "2\t1\n"),
        (ROWS, "[].name", "b\na\n"),
        (ROWS, "[0].name", "b\n"),
        ({"a": [1, 2], "b": {"c": 1}, "d": 1.5}, None, "2\t\t1.5\n"),
        (True, None, "true\n"),
        (None, None, ""),
        ([], None, ""),
    ],
)
def test_tsv(data: Any, query: str | None, text: str) -> None:
    assert render(data if query is None else select(data, query), "tsv", PIPE) == text


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (ROWS, ["Name  Status", "----  ------", "b     Failed", "a"]),
        (["x", "y"], ["Result", "------", "x", "y"]),
        ([["x", 1]], ["Column1  Column2", "-------  -------", "x        1"]),
        ([], []),
    ],
)
def test_table(data: Any, lines: list[str]) -> None:
    assert render(data, "table", PIPE).splitlines() == lines


def test_a_table_is_cut_for_terminals_alone() -> None:
    rows = [{"name": "a", "path": "/" + "x" * 100}]
    assert "x" * 100 in render(rows, "table", PIPE)
    assert max(map(len, render(rows, "table", terminal(width=60)).splitlines())) == 60


def test_none_prints_nothing() -> None:
    assert render(ROWS, "none", PIPE) == ""


@pytest.mark.parametrize("query", ["[", "nope(@)", "name ="])
def test_a_wrong_query_is_an_error_with_an_example(query: str) -> None:
    with pytest.raises(UsageError, match="is not JMESPath") as caught:
        select(ROWS, query)
    assert "--query" in caught.value.hint
    assert "\n" not in str(caught.value)
