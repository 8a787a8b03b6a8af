from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from amlocal.errors import UsageError
from amlocal.plan.source import given_fields, kept, port_settings


def test_none_stands_for_not_given() -> None:
    assert given_fields({}) == {}
    assert given_fields({"compute": None, "tags": {"a": "b"}, "description": ""}) == {
        "tags": {"a": "b"},
        "description": "",
    }


def test_an_unknown_field_is_refused() -> None:
    wrong: Any = {"tag": {"a": "b"}}
    with pytest.raises(UsageError, match="not submitted with 'tag'") as caught:
        given_fields(wrong)
    assert caught.value.hint == "did you mean 'tags'?"


def test_null_takes_a_tag_away() -> None:
    old, new = {"a": "1", "b": "2", "c": "3"}, {"c": "4"}
    assert kept("tags", old, new, ["tags.a=null", "properties.b=null", "tags.c=4"]) == {
        "b": "2",
        "c": "4",
    }


def test_ports_as_settings() -> None:
    given = {
        "data": "a/b",
        "rows": SimpleNamespace(type="uri_file", path="c.csv", default=None),
        "count": SimpleNamespace(type="integer", path=None, default=3),
    }
    assert port_settings("inputs", given) == [
        "inputs.data.path=a/b",
        "inputs.rows.path=c.csv",
        "inputs.rows.type=uri_file",
        "inputs.count.path=3",
        "inputs.count.type=integer",
    ]
    assert port_settings("outputs", None) == []
