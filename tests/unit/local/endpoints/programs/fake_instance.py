"""Stands in for the scoring server: `fake_instance.py --model DIR --socket PATH`.

What it does is told by its environment: `FAILS` (it ends at once), `SLOW` (seconds that an answer
takes), `DEAF` (it never listens), `SICK` (a file that, while it is there, fails its probes).
"""

from __future__ import annotations

import argparse
import json
import os
import socketserver
import sys
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        sick = os.environ.get("SICK", "")
        self._answer(503 if sick and Path(sick).exists() else 200, {})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        time.sleep(float(os.environ.get("SLOW", "0")))
        names = ("VERSION", "AZUREML_MODEL_DIR", "OMP_NUM_THREADS", "AMLOCAL_WORKSPACE")
        known = {name: os.environ.get(name) for name in names}
        self._answer(200, {"pid": os.getpid(), "model": self.server.model, **known})

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def address_string(self) -> str:
        return "unix"


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    model = ""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model")
    parser.add_argument("--socket")
    given = parser.parse_args()
    if os.environ.get("FAILS"):
        sys.exit("the model cannot be loaded")
    if os.environ.get("DEAF"):
        time.sleep(600)
    with Server(given.socket, Handler) as server:
        server.model = given.model
        server.serve_forever()


if __name__ == "__main__":
    main()
