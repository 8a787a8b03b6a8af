"""Limits of bodies, one and all."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from amlocal.local.endpoints.router.bodies import (
    Bodies,
    ClientGoneError,
    TooLargeError,
    TooMuchError,
)


def receiving(*pieces: bytes, leaves: bool = False):
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": leaves or place + 1 < len(pieces)}
        for place, piece in enumerate(pieces)
    ]
    if leaves:
        messages.append({"type": "http.disconnect"})
    given = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(given)

    return receive


def test_bodies_are_held_until_they_are_released() -> None:
    bodies = Bodies(10, 20)
    body = asyncio.run(bodies.read(b"6", receiving(b"ab", b"cd", b"ef")))
    assert (body, bodies.held) == (b"abcdef", 6)
    bodies.release(body)
    assert bodies.held == 0


def test_a_body_in_one_piece_is_not_copied() -> None:
    piece = b"x" * 10
    assert asyncio.run(Bodies(10).read(None, receiving(piece))) is piece


@pytest.mark.parametrize(
    ("length", "pieces"), [(b"11", ()), (None, (b"x" * 11,)), (None, (b"x" * 6, b"x" * 5))]
)
def test_a_body_over_the_limit(length: bytes | None, pieces: tuple[bytes, ...]) -> None:
    bodies = Bodies(10)
    with pytest.raises(TooLargeError):
        asyncio.run(bodies.read(length, receiving(*pieces)))
    assert bodies.held == 0


def test_all_bodies_together_over_the_limit() -> None:
    bodies = Bodies(10, 15)
    first = asyncio.run(bodies.read(None, receiving(b"x" * 10)))
    with pytest.raises(TooMuchError):
        asyncio.run(bodies.read(None, receiving(b"x" * 4, b"x" * 2)))
    assert bodies.held == 10
    bodies.release(first)
    assert asyncio.run(bodies.read(None, receiving(b"x" * 10))) == b"x" * 10


def test_a_client_that_leaves_holds_nothing() -> None:
    bodies = Bodies(10)
    with pytest.raises(ClientGoneError):
        asyncio.run(bodies.read(b"9", receiving(b"abc", leaves=True)))
    assert bodies.held == 0
