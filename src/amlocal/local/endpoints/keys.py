"""The keys of endpoints: two each, made anew one at a time, and a secret that signs tokens.

They are in one file an endpoint, which only its owner can read. Its router gets the digests of the
keys, not the keys.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from amlocal.errors import UsageError, near_miss
from amlocal.files import write_whole
from amlocal.local.endpoints.tokens import make_token
from amlocal.plan import EndpointCredentials
from amlocal.plan.base import Value

KEY_TYPES = ("primary", "secondary")
#: Seconds that a token holds, and after which to ask for another.
_TOKEN_SECONDS, _REFRESH_SECONDS = 3600, 2700
_KEY_BYTES = 32


class EndpointKeys(Value, frozen=True):
    """The secrets of an endpoint.

    Attributes:
        primary: The first key.
        secondary: The second key.
        token_key: What signs tokens, in hexadecimal.
    """

    primary: str
    secondary: str
    token_key: str

    @classmethod
    def new(cls) -> EndpointKeys:
        """Return keys that nobody has seen."""
        return cls(primary=_key(), secondary=_key(), token_key=secrets.token_hex(_KEY_BYTES))

    def __repr__(self) -> str:
        return "EndpointKeys(...)"  # so that no message and no traceback shows them

    def digests(self) -> list[str]:
        """Return the SHA-256 of the primary and of the secondary key, in hexadecimal."""
        return [hashlib.sha256(key.encode()).hexdigest() for key in (self.primary, self.secondary)]

    def credentials(self, auth_mode: str, endpoint: str) -> EndpointCredentials:
        """Return what opens the endpoint: both keys, or a token that holds for an hour."""
        if auth_mode == "key":
            return EndpointCredentials(primary_key=self.primary, secondary_key=self.secondary)
        now = int(time.time())
        expires = now + _TOKEN_SECONDS
        return EndpointCredentials(
            access_token=make_token(bytes.fromhex(self.token_key), endpoint, expires=expires),
            expiry_time_utc=expires,
            refresh_after_time_utc=now + _REFRESH_SECONDS,
        )


def _key() -> str:
    return secrets.token_urlsafe(_KEY_BYTES)


def read_keys(path: Path) -> EndpointKeys:
    """Return an endpoint's keys, which are made where they are missing."""
    try:
        return EndpointKeys.from_json(path.read_bytes())
    except FileNotFoundError:
        with _locked(path):
            if not path.exists():
                _write(path, EndpointKeys.new())
        return EndpointKeys.from_json(path.read_bytes())


def regenerate(path: Path, key_type: str) -> EndpointKeys:
    """Make one of an endpoint's keys anew and return them.

    Raises:
        UsageError: There is no such key.
    """
    if key_type not in KEY_TYPES:
        raise UsageError(f"no key {key_type!r}", hint=near_miss(key_type, KEY_TYPES))
    read_keys(path)
    with _locked(path):
        old = EndpointKeys.from_json(path.read_bytes())
        new = msgspec.structs.replace(old, **{key_type: _key()})
        _write(path, new)
    return new


def _write(path: Path, keys: EndpointKeys) -> None:
    write_whole(path, keys.to_json(), mode=0o600)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep others, in other processes too, from changing the keys."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
