"""Tokens of endpoints whose `auth_mode` has no keys: signed, for one endpoint, for some time.

A token is `BODY.SIGNATURE`, both in URL-safe base64 without padding: the body is JSON with the
endpoint's name (`endpoint`) and the second since 1970 at which it ends (`exp`), the signature the
HMAC-SHA256 of the body's text.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time


def make_token(key: bytes, endpoint: str, *, expires: int) -> str:
    """Return a token.

    Args:
        key: The endpoint's secret.
        endpoint: The endpoint that it opens.
        expires: Seconds since 1970 at which it ends.
    """
    body = _text(json.dumps({"endpoint": endpoint, "exp": expires}, sort_keys=True).encode())
    return f"{body}.{_signature(key, body)}"


def is_valid(token: str, key: bytes, endpoint: str, *, now: float | None = None) -> bool:
    """Tell whether a token opens an endpoint; takes as long whatever its signature is.

    Args:
        token: What a caller presents.
        key: The endpoint's secret.
        endpoint: The endpoint.
        now: Seconds since 1970; None is now.
    """
    body, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(key, body).encode()):
        return False
    try:
        # Signed by us, so it is what `make_token` wrote.
        said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (binascii.Error, ValueError):
        return False
    moment = time.time() if now is None else now
    return bool(said["endpoint"] == endpoint and moment < said["exp"])


def _signature(key: bytes, body: str) -> str:
    return _text(hmac.new(key, body.encode(), hashlib.sha256).digest())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
