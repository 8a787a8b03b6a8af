from __future__ import annotations

import base64

import pytest

from amlocal.local.endpoints.tokens import is_valid, make_token

KEY = b"k" * 32


def test_a_token_opens_its_endpoint_until_it_ends() -> None:
    token = make_token(KEY, "adult", expires=100)
    assert is_valid(token, KEY, "adult", now=99.9)
    assert not is_valid(token, KEY, "adult", now=100)
    assert not is_valid(token, KEY, "other", now=1)
    assert not is_valid(token, b"x" * 32, "adult", now=1)
    assert not is_valid(token, KEY, "adult")


def test_a_token_that_was_changed_opens_nothing() -> None:
    body, signature = make_token(KEY, "adult", expires=100).split(".")
    later = base64.urlsafe_b64encode(b'{"endpoint": "adult", "exp": 999}').rstrip(b"=").decode()
    assert not is_valid(f"{later}.{signature}", KEY, "adult", now=1)
    for end in ("", "x", f"{signature[:-1]}"):
        assert not is_valid(f"{body}.{end}", KEY, "adult", now=1)


@pytest.mark.parametrize("text", ["", ".", "a.b.c", "\u00e9.\u00e9", "no dot"])
def test_what_is_no_token_opens_nothing(text: str) -> None:
    assert not is_valid(text, KEY, "adult", now=1)
