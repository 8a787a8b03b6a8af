"""Routers and instances as real processes, and clients of them."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEY, SECOND_KEY = "the-primary-key", "the-secondary-key"
TOKEN_KEY = "5a" * 32
_INSTANCE = Path(__file__).with_name("instance.py")


def wait_until(holds: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Return what a condition gives as soon as it gives something true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("it did not come true in time")


@dataclass
class Got:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Instance:
    """An instance's process."""

    def __init__(self, identity: str, address: str) -> None:
        self.identity, self.address = identity, address
        self.process = subprocess.Popen(
            [sys.executable, str(_INSTANCE), identity, address], stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"

    @property
    def entry(self) -> dict[str, str]:
        return {"id": self.identity, "address": self.address}

    def told(self) -> dict[str, Any]:
        with contextlib.closing(_connect(self.address)) as link:
            link.sendall(b"GET /seen HTTP/1.1\r\nhost: x\r\n\r\n")
            answer = http.client.HTTPResponse(link)
            answer.begin()
            return json.loads(answer.read())

    def seen(self) -> list[dict[str, Any]]:
        return self.told()["seen"]

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def _connect(address: str) -> socket.socket:
    kind, _, place = address.partition(":")
    if kind == "unix":
        link = socket.socket(socket.AF_UNIX)
        link.connect(place)
        return link
    host, _, port = place.rpartition(":")
    return socket.create_connection((host, int(port)))


class Router:
    """A router's process, and the supervisor's ends of its sockets."""

    def __init__(self, table: Mapping[str, Any], *options: str, log: Path) -> None:
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(512)
        self.port: int = self.listener.getsockname()[1]
        self.log = log
        self._options = options
        self._heard: list[dict[str, Any]] = []
        self._line: socket.socket | None = None
        self.start(table)

    def start(self, table: Mapping[str, Any]) -> None:
        """Start the process on the socket, also in the place of one that was killed."""
        if self._line is not None:
            self._line.close()
        line, theirs = socket.socketpair()
        self._line = line
        self._rest = b""
        with theirs, self.log.open("ab") as log:
            handed = (self.listener.fileno(), theirs.fileno())
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "amlocal.local.endpoints.router"),
                    *("--fd", str(handed[0]), "--control", str(handed[1]), *self._options),
                ],
                pass_fds=handed,
                stderr=log,
            )
        self.apply(table)

    def send(self, line: bytes) -> None:
        self.send_bytes(line + b"\n")

    def send_bytes(self, data: bytes) -> None:
        assert self._line is not None
        self._line.sendall(data)

    def apply(self, table: Mapping[str, Any]) -> None:
        """Send a table, and wait until it is followed."""
        self.send(json.dumps(table).encode())
        self.hear(lambda said: said.get("applied") == table["revision"])

    def hear(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 20.0) -> Any:
        """Wait for a message, and return it; it counts as heard."""
        deadline = time.monotonic() + seconds
        assert self._line is not None
        while True:
            for said in self._heard:
                if wanted(said):
                    self._heard.remove(said)
                    return said
            self._line.settimeout(max(deadline - time.monotonic(), 0.001))
            data = self._line.recv(65536)
            assert data, self.log.read_text()
            *lines, self._rest = (self._rest + data).split(b"\n")
            self._heard += [json.loads(line) for line in lines]

    def hears_nothing(self, wanted: Callable[[dict[str, Any]], bool], seconds: float) -> bool:
        """Return whether a message does not come in some time."""
        try:
            self.hear(wanted, seconds)
        except TimeoutError:
            return True
        return False

    def ask(
        self,
        body: Any = None,
        *,
        method: str = "POST",
        path: str = "/score",
        key: str | None = KEY,
        headers: Mapping[str, str] | None = None,
        timeout: float = 40.0,
    ) -> Got:
        """Send a request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        sent = {"content-type": "application/json", **(headers or {})}
        if key is not None:
            sent["authorization"] = f"Bearer {key}"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        with contextlib.closing(connection):
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Got(answer.status, found, answer.read())

    def raw(self, data: bytes, *, seconds: float = 20.0) -> bytes:
        """Send bytes, and return what comes until the router closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as link:
            link.sendall(data)
            found = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := link.recv(65536):
                    found += piece
            return found

    def metrics(self) -> dict[str, float]:
        """Return the samples of the metrics page."""
        page = self.ask(method="GET", path="/metrics", key=None).body.decode()
        samples = (line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in samples}

    def counted(self, deployment: str, *, mirrored: str = "no") -> dict[str, int]:
        """Return how many requests were answered with each status."""
        pattern = re.compile(
            rf'amlocal_requests_total{{deployment="{deployment}",mirrored="{mirrored}",status="(\d+)"}}'
        )
        found = ((pattern.fullmatch(name), value) for name, value in self.metrics().items())
        return {match[1]: int(value) for match, value in found if match}

    def close_line(self) -> None:
        assert self._line is not None
        self._line.close()

    def end(self) -> None:
        self.close_line()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.listener.close()


@dataclass
class Stage:
    """Routers and instances of a test; `close` ends them all."""

    folder: Path
    routers: list[Router] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)

    def instance(self, identity: str, *, tcp: bool = False) -> Instance:
        if tcp:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                address = f"tcp:127.0.0.1:{probe.getsockname()[1]}"
        else:
            address = f"unix:{self.folder / identity}.sock"
        return self.instance_at(identity, address)

    def instance_at(self, identity: str, address: str) -> Instance:
        if address.startswith("unix:"):
            Path(address[5:]).unlink(missing_ok=True)
        self.instances.append(Instance(identity, address))
        return self.instances[-1]

    def router(self, table: Mapping[str, Any], *options: str) -> Router:
        self.routers.append(Router(table, *options, log=self.folder / "router.log"))
        return self.routers[-1]

    def close(self) -> None:
        for router in self.routers:
            router.end()
        for instance in self.instances:
            instance.end()


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """Give a stage; its folder has a short name, since those of sockets are limited."""
    with tempfile.TemporaryDirectory(prefix="r", dir=os.environ.get("TMPDIR", "/tmp")) as folder:
        found = Stage(Path(folder))
        try:
            yield found
        finally:
            found.close()


def deployment(*instances: Instance, **settings: Any) -> dict[str, Any]:
    """Return a deployment's entry in a table."""
    return {"instances": [instance.entry for instance in instances], **settings}


def table(revision: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a table whose deployments share the traffic, unless it says how."""
    deployments = fields.get("deployments", {})
    digests = [hashlib.sha256(key.encode()).hexdigest() for key in (KEY, SECOND_KEY)]
    return {
        "revision": revision,
        "endpoint": "adult",
        "auth": {"mode": "key", "digests": digests, "token_key": TOKEN_KEY},
        "traffic": {next(iter(deployments)): 100} if deployments else {},
        **fields,
    }
