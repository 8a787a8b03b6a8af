"""Bodies of requests: read up to a limit each, and up to a limit all together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]

#: Bytes that a body may have. Azure's documentation gave 1.5 MB until 2022, and its table of status
#: codes has named no limit since; this one keeps a client from filling the memory.
MAX_BODY = 100 << 20
#: Bytes that all bodies may have that are being read or scored.
MAX_HELD = 4 * MAX_BODY


class ClientGoneError(Exception):
    """The client closed the connection before its request was there."""


class TooLargeError(Exception):
    """The body is over the limit."""


class TooMuchError(Exception):
    """All bodies together are over the limit."""


class Bodies:
    """Reads the bodies of requests.

    Attributes:
        max_body: Bytes that a body may have.
        held: Bytes of those that were read and not yet released.
    """

    def __init__(self, max_body: int = MAX_BODY, max_held: int = MAX_HELD) -> None:
        self.max_body = max_body
        self.held = 0
        self._max_held = max(max_held, max_body)

    async def read(self, length: bytes | None, receive: Receive) -> bytes:
        """Return the body of a request; it is held until it is released.

        Args:
            length: The request's `Content-Length`, which the server has checked, or None.
            receive: As ASGI gives it.

        Raises:
            ClientGoneError: The client closed the connection.
            TooLargeError: The body is over the limit; it is known at once where it has a length.
            TooMuchError: All bodies together are.
        """
        if length is not None and int(length) > self.max_body:
            raise TooLargeError
        pieces: list[bytes] = []
        size = 0
        is_whole = False
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGoneError
                piece = message["body"]
                size += len(piece)
                self.held += len(piece)
                if size > self.max_body:
                    raise TooLargeError
                if self.held > self._max_held:
                    raise TooMuchError
                if not message["more_body"]:
                    is_whole = True
                    # Nearly all come in one piece, which is not copied.
                    return b"".join((*pieces, piece)) if pieces else piece
                pieces.append(piece)
        finally:
            if not is_whole:
                self.held -= size

    def release(self, body: bytes) -> None:
        """Let a body go that was read."""
        self.held -= len(body)
