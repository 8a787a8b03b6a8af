from __future__ import annotations

from typing import Any

import pytest

from amlocal.errors import UsageError
from amlocal.plan.source import given_fields


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
