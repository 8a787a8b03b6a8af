"""Whether two deployments gave the same answer: one rule for copied requests and for probes."""

from __future__ import annotations

import json
import math
from typing import Any

#: How far two numbers may lie apart, relative to the larger one, and still be the same answer.
RELATIVE_TOLERANCE = 1e-9


def agree(status: int, body: bytes, other_status: int, other_body: bytes) -> bool:
    """Return whether two answers are equal: by status, and by their JSON.

    Numbers count as equal within `RELATIVE_TOLERANCE`; bodies that are not JSON, byte for byte.
    """
    if status != other_status:
        return False
    if body == other_body:
        return True
    try:
        # The standard library's parser, since models answer with NaN, which others refuse.
        return same_value(json.loads(body), json.loads(other_body))
    except (ValueError, RecursionError):
        return False


def same_value(one: Any, other: Any) -> bool:
    """Return whether two values of JSON are equal, numbers within `RELATIVE_TOLERANCE`."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, float) or isinstance(other, float):
        return _same_number(one, other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_value(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_value, one, other))
    return bool(one == other)


def _same_number(one: Any, other: Any) -> bool:
    if not isinstance(one, (int, float)) or not isinstance(other, (int, float)):
        return False
    try:
        close = math.isclose(one, other, rel_tol=RELATIVE_TOLERANCE, abs_tol=0.0)
    except OverflowError:  # an integer that no float holds
        return False
    return close or (one != one and other != other)
