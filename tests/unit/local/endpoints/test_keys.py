from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from amlocal.errors import UsageError
from amlocal.local.endpoints.keys import EndpointKeys, read_keys, regenerate
from amlocal.local.endpoints.router.auth import Gate
from amlocal.local.endpoints.router.table import Auth


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "endpoints" / "adult" / "keys.json"


def test_keys_are_made_once_and_only_their_owner_can_read_them(path: Path) -> None:
    keys = read_keys(path)
    assert read_keys(path) == keys
    assert len({keys.primary, keys.secondary, keys.token_key}) == 3
    assert min(len(keys.primary), len(keys.secondary)) >= 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_processes_that_come_together_get_the_same_keys(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: read_keys(path).primary, range(16)))
    assert len(set(found)) == 1


@pytest.mark.parametrize(("kind", "other"), [("primary", "secondary"), ("secondary", "primary")])
def test_one_key_is_made_anew_and_the_other_holds(path: Path, kind: str, other: str) -> None:
    before = read_keys(path)
    after = regenerate(path, kind)
    assert getattr(after, kind) != getattr(before, kind)
    assert getattr(after, other) == getattr(before, other)
    assert after == read_keys(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_there_are_two_keys(path: Path) -> None:
    with pytest.raises(UsageError, match="no key 'primery'"):
        regenerate(path, "primery")


def test_keys_are_not_shown_but_their_digests_are_theirs() -> None:
    keys = EndpointKeys.new()
    assert keys.primary not in repr(keys)
    assert keys.digests()[0] == hashlib.sha256(keys.primary.encode()).hexdigest()
    assert keys.digests()[1] == hashlib.sha256(keys.secondary.encode()).hexdigest()


def test_credentials_are_keys_or_a_token() -> None:
    keys = EndpointKeys.new()
    by_key = keys.credentials("key", "adult")
    assert (by_key.primary_key, by_key.access_token) == (keys.primary, "")
    for mode in ("aml_token", "aad_token"):
        token = keys.credentials(mode, "adult")
        assert (token.primary_key, token.secondary_key) == ("", "")
        assert time.time() < token.refresh_after_time_utc < token.expiry_time_utc
        gate = Gate("adult", Auth(mode="aml_token", token_key=keys.token_key))
        assert gate.refusal(f"Bearer {token.access_token}".encode(), time.time) is None
