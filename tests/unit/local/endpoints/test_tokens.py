from __future__ import annotations

import base64

import pytest

from amlocal.local.endpoints.router.auth import Gate
from amlocal.local.endpoints.router.table import Auth
from amlocal.local.endpoints.tokens import make_token

KEY = b"k" * 32


def opens(token: str, *, endpoint: str = "adult", key: bytes = KEY, now: float = 1.0) -> bool:
    """Tell whether the endpoint's router lets a token in."""
    gate = Gate(endpoint, Auth(mode="aml_token", token_key=key.hex()))
    return gate.refusal(f"Bearer {token}".encode(), lambda: now) is None


def test_a_token_opens_its_endpoint_until_it_ends() -> None:
    token = make_token(KEY, "adult", expires=100)
    assert opens(token, now=99.9)
    assert not opens(token, now=100)
    assert not opens(token, endpoint="other")
    assert not opens(token, key=b"x" * 32)


def test_a_token_that_was_changed_opens_nothing() -> None:
    body, signature = make_token(KEY, "adult", expires=100).split(".")
    later = base64.urlsafe_b64encode(b'{"endpoint": "adult", "exp": 999}').rstrip(b"=").decode()
    assert not opens(f"{later}.{signature}")
    for end in ("", "x", signature[:-1]):
        assert not opens(f"{body}.{end}")


@pytest.mark.parametrize("text", ["", ".", "a.b.c", "\u00e9.\u00e9", "no dot"])
def test_what_is_no_token_opens_nothing(text: str) -> None:
    assert not opens(text)
