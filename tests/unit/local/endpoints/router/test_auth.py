"""Keys and tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from amlocal.local.endpoints.router import auth
from amlocal.local.endpoints.router.auth import Gate
from amlocal.local.endpoints.router.table import Auth

PRIMARY, SECONDARY, SIGNING = "primary-key", "secondary-key", "ab" * 32
KEYS = Auth(
    mode="key",
    digests=tuple(hashlib.sha256(key.encode()).hexdigest() for key in (PRIMARY, SECONDARY)),
    token_key=SIGNING,
)
TOKENS = Auth(mode="aml_token", digests=KEYS.digests, token_key=SIGNING)


def issue_token(endpoint: str, key: str, expires: float) -> str:
    """A token as the workspace signs it."""
    claims = base64.urlsafe_b64encode(json.dumps({"endpoint": endpoint, "exp": expires}).encode())
    claims = claims.rstrip(b"=")
    signature = hmac.digest(bytes.fromhex(key), claims, "sha256")
    return (claims + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def refusal(settings: Auth, header: str | None, now: float = 1000.0) -> str | None:
    given = None if header is None else header.encode()
    return Gate("adult", settings).refusal(given, lambda: now)


@pytest.mark.parametrize("key", [PRIMARY, SECONDARY])
@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
def test_each_key_opens(key: str, scheme: str) -> None:
    assert refusal(KEYS, scheme + key) is None


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", f"Bearer {PRIMARY}x", "bearer \xff"])
def test_a_wrong_key_does_not(header: str) -> None:
    assert refusal(KEYS, header) == auth.ACCESS_DENIED


@pytest.mark.parametrize("header", [None, "", PRIMARY, f"Basic {PRIMARY}"])
def test_without_a_bearer_header_nothing_opens(header: str | None) -> None:
    assert refusal(KEYS, header) == auth.BAD_HEADER
    assert refusal(TOKENS, header) == auth.TOKEN_BAD_HEADER


def test_an_endpoint_without_keys_stays_shut() -> None:
    assert refusal(Auth(mode="key"), "Bearer ") == auth.ACCESS_DENIED


def test_a_token_opens_until_it_expires() -> None:
    token = issue_token("adult", SIGNING, expires=1001.0)
    assert refusal(TOKENS, f"Bearer {token}", now=1000.9) is None
    assert refusal(TOKENS, f"Bearer {token}", now=1001.0) == auth.TOKEN_DENIED


def test_a_token_is_of_one_endpoint() -> None:
    token = issue_token("wages", SIGNING, expires=2000.0)
    assert refusal(TOKENS, f"Bearer {token}") == auth.TOKEN_DENIED


def test_tokens_and_keys_do_not_stand_for_each_other() -> None:
    token = issue_token("adult", SIGNING, expires=2000.0)
    assert refusal(KEYS, f"Bearer {token}") == auth.ACCESS_DENIED
    assert refusal(TOKENS, f"Bearer {PRIMARY}") == auth.TOKEN_DENIED


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token.replace(".", ""),
        lambda token: token + "A",
        lambda token: "A" + token,
        lambda token: token[:-3],
        lambda token: issue_token("adult", "cd" * 32, expires=2000.0),
        lambda token: token.split(".")[0] + ".",
        lambda token: "." + token.split(".")[1],
        lambda token: token + ".é",
    ],
)
def test_a_changed_token_does_not_open(change) -> None:
    token = change(issue_token("adult", SIGNING, expires=2000.0))
    assert refusal(TOKENS, f"Bearer {token}") == auth.TOKEN_DENIED


def test_without_a_key_to_sign_no_token_opens() -> None:
    token = issue_token("adult", "", expires=2000.0)
    assert refusal(Auth(mode="aml_token"), f"Bearer {token}") == auth.TOKEN_DENIED
