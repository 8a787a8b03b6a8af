"""Where endpoints answer."""

from __future__ import annotations

HOST = "127.0.0.1"


def scoring_uri(port: int) -> str:
    """Return where requests are posted to."""
    return f"http://{HOST}:{port}/score"


def openapi_uri(port: int) -> str:
    """Return where an endpoint's OpenAPI document is."""
    return f"http://{HOST}:{port}/swagger.json"
