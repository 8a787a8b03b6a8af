"""Keys and tokens: who may ask an endpoint.

A token is `base64url(json{"endpoint", "exp"}) + "." + base64url(HMAC-SHA-256 of the first part)`,
without padding; `exp` is in seconds since 1970.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable

import msgspec

from amlocal.local.endpoints.router.table import Auth

#: What Azure's front end answers where the header is not `Bearer KEY`, and where the key is wrong.
BAD_HEADER = "key_auth_bad_header_forbidden"
ACCESS_DENIED = "key_auth_access_denied"
#: The same of tokens.
TOKEN_BAD_HEADER = "token_auth_bad_header_forbidden"  # noqa: S105 (a code, not a secret)
TOKEN_DENIED = "token_auth_access_denied"  # noqa: S105
_SCHEME = b"bearer "


class _Claims(msgspec.Struct, frozen=True):
    endpoint: str
    exp: float


class Gate:
    """Says who may ask one endpoint."""

    def __init__(self, endpoint: str, auth: Auth) -> None:
        self._endpoint = endpoint
        self._takes_keys = auth.mode == "key"
        self._digests = tuple(bytes.fromhex(digest) for digest in auth.digests)
        self._token_key = bytes.fromhex(auth.token_key)

    def refusal(self, header: bytes | None, clock: Callable[[], float]) -> str | None:
        """Return why a request is refused, or None where it is not.

        Args:
            header: The request's `Authorization`, or None.
            clock: Tells the seconds since 1970.
        """
        if header is None or header[:7].lower() != _SCHEME:
            return BAD_HEADER if self._takes_keys else TOKEN_BAD_HEADER
        secret = header[7:].strip()
        if self._takes_keys:
            return None if self._is_key(secret) else ACCESS_DENIED
        return None if self._is_token(secret, clock()) else TOKEN_DENIED

    def _is_key(self, secret: bytes) -> bool:
        digest = hashlib.sha256(secret).digest()
        found = False
        # All of them, so that the time tells nothing.
        for known in self._digests:
            found |= hmac.compare_digest(digest, known)
        return found

    def _is_token(self, secret: bytes, now: float) -> bool:
        claims, _, signature = secret.partition(b".")
        if not self._token_key or not hmac.compare_digest(signature, self._signature(claims)):
            return False
        # It bears our signature, so it is what was issued for this endpoint or another one.
        padded = claims + b"=" * (-len(claims) % 4)
        said = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Claims)
        return said.endpoint == self._endpoint and now < said.exp

    def _signature(self, claims: bytes) -> bytes:
        digest = hmac.digest(self._token_key, claims, "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=")
