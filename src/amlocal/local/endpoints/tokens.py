"""Tokens of endpoints whose `auth_mode` has no keys: signed, for one endpoint, for some time.

A token is `BODY.SIGNATURE`, both in URL-safe base64 without padding: the body is JSON with the
endpoint's name (`endpoint`) and the second since 1970 at which it ends (`exp`), the signature the
HMAC-SHA256 of the body's text. The router checks it (`router/auth`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json


def make_token(key: bytes, endpoint: str, *, expires: int) -> str:
    """Return a token.

    Args:
        key: The endpoint's secret.
        endpoint: The endpoint that it opens.
        expires: Seconds since 1970 at which it ends.
    """
    body = _text(json.dumps({"endpoint": endpoint, "exp": expires}, sort_keys=True).encode())
    return f"{body}.{_text(hmac.new(key, body.encode(), hashlib.sha256).digest())}"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
