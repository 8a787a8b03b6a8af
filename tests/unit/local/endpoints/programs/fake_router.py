"""Stands in for the router: `fake_router.py --fd N --control M`; sends all to the largest share."""

from __future__ import annotations

import argparse
import collections
import hashlib
import http.client
import json
import os
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class State:
    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.table: dict[str, Any] = {"deployments": {}}
        self.open: collections.Counter[str] = collections.Counter()
        self.leaving: set[str] = set()
        self.lock = threading.Condition()

    def ids(self) -> set[str]:
        return {i["id"] for d in self.table["deployments"].values() for i in d["instances"]}

    def say(self, message: object) -> None:
        self.control.sendall(json.dumps(message).encode() + b"\n")

    def listen(self) -> None:
        for line in self.control.makefile("r"):
            with self.lock:
                before, self.table = self.ids(), json.loads(line)
                self.leaving |= before - self.ids()
                self.say({"applied": self.table["revision"]})
                self.tell_drained()
                self.lock.notify_all()
        os._exit(0)

    def tell_drained(self) -> None:
        for identity in [i for i in self.leaving if not self.open[i]]:
            self.leaving.remove(identity)
            self.say({"drained": identity})

    def choose(self, asked: str | None) -> tuple[str, str]:
        with self.lock:
            shares = self.table["traffic"]
            name = asked or max(shares, key=shares.get)
            # Like the router, it waits for an instance of a deployment that it knows.
            self.lock.wait_for(lambda: self.table["deployments"][name]["instances"], 5)
            instance = self.table["deployments"][name]["instances"][0]
            self.open[instance["id"]] += 1
            return instance["id"], instance["address"].removeprefix("unix:")

    def release(self, identity: str) -> None:
        with self.lock:
            self.open[identity] -= 1
            self.tell_drained()


class Handler(BaseHTTPRequestHandler):
    state: State

    def do_GET(self) -> None:
        if self.path == "/swagger.json":
            self._answer(200, json.dumps(self.state.table).encode())
            return
        name = 'amlocal_requests_total{deployment="blue",status="200",mirrored="no"}'
        self._answer(200, f"{name} 1\n".encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        key = self.headers.get("authorization", "").removeprefix("Bearer ")
        if hashlib.sha256(key.encode()).hexdigest() not in self.state.table["auth"]["digests"]:
            self._answer(401, b"")
            return
        try:
            identity, place = self.state.choose(self.headers.get("azureml-model-deployment"))
        except (KeyError, ValueError, IndexError):
            self._answer(404, b"")
            return
        try:
            connection = http.client.HTTPConnection("localhost")
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(place)
            connection.request("POST", "/score", body)
            answer = connection.getresponse()
            self._answer(answer.status, answer.read())
        except OSError as error:
            self._answer(424, str(error).encode())
        finally:
            self.state.release(identity)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int)
    parser.add_argument("--control", type=int)
    given = parser.parse_args()
    if os.environ.get("ROUTER_FAILS"):
        sys.exit("the router cannot start")
    Handler.state = State(socket.socket(fileno=given.control))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = socket.socket(fileno=given.fd)
    server.socket.setblocking(True)
    threading.Thread(target=Handler.state.listen, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
