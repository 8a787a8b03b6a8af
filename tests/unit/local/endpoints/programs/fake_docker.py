"""Stands for Docker's command where there is no engine.

What it has "run" is a process in a session of its own, which outlives its client as a container
does. It answers at the published ports, in place of what an image would hold, and tells what it was
given. State lies in the folder that FAKE_DOCKER names.
"""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

STATE = Path(os.environ["FAKE_DOCKER"])


def main(arguments: list[str]) -> int:
    if arguments[0] != "--serve":
        with (STATE / "calls.jsonl").open("a") as calls:
            calls.write(json.dumps(arguments) + "\n")
    if (STATE / "down").exists():
        print(
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.", file=sys.stderr
        )
        return 1
    return {
        "version": lambda _: 0,
        "image": lambda given: 0 if image_file(given[-1]).exists() else 1,
        "pull": pull,
        "build": build,
        "run": run,
        "rm": remove,
        "ps": listed,
        "--serve": serve,
    }[arguments[0]](arguments[1:])


def image_file(image: str) -> Path:
    return STATE / ("image-" + image.replace("/", "_"))


def pull(given: list[str]) -> int:
    if "nowhere" in given[-1]:
        print(f"Error response from daemon: pull access denied for {given[-1]}", file=sys.stderr)
        return 1
    image_file(given[-1]).touch()
    return 0


def build(given: list[str]) -> int:
    dockerfile = Path(given[given.index("--file") + 1])
    if "broken" in dockerfile.read_text():
        print("ERROR: failed to solve: exit code 1", file=sys.stderr)
        return 1
    image_file(given[given.index("--tag") + 1]).write_text(dockerfile.read_text())
    return 0


def run(given: list[str]) -> int:
    said: dict[str, list[str]] = {}
    while given[0].startswith("--"):
        name = given.pop(0)
        if name != "--rm":
            said.setdefault(name, []).append(given.pop(0))
    (image,) = given
    said["image"] = [image]
    variables = {}
    for each in said.get("--env", []):
        key, is_given, value = each.partition("=")
        variables[key] = value if is_given else os.environ[key]
    (name,) = said["--name"]
    facts = {"said": said, "variables": variables}
    container = subprocess.Popen(
        [sys.executable, __file__, "--serve", json.dumps(facts)],
        # As of a container, whose processes have nothing of their client's environment.
        env={"PATH": os.environ["PATH"], "FAKE_DOCKER": str(STATE)},
        start_new_session=True,
    )
    (STATE / f"container-{name}").write_text(json.dumps({"pid": container.pid, **facts}))
    signal.signal(signal.SIGTERM, lambda *_: container.terminate())
    code = container.wait()
    (STATE / f"container-{name}").unlink(missing_ok=True)
    return code


def remove(given: list[str]) -> int:
    for name in given:
        file = STATE / f"container-{name}"
        if file.exists():
            os.kill(json.loads(file.read_text())["pid"], signal.SIGKILL)
            file.unlink()
    return 0


def listed(given: list[str]) -> int:
    label = given[given.index("--filter") + 1].removeprefix("label=")
    for file in STATE.glob("container-*"):
        if label in json.loads(file.read_text())["said"]["--label"]:
            print(file.name.removeprefix("container-"))
    return 0


def serve(given: list[str]) -> int:
    facts = json.loads(given[0])

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            is_well = self.path in ("/live", "/ready", "/") and not (STATE / "unwell").exists()
            self.answer(200 if is_well else 503, b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found = {**facts, "path": self.path, "body": body.decode()}
            self.answer(200, json.dumps(found).encode())

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    for published in facts["said"]["--publish"]:
        host, port, _ = published.split(":")
        server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("the container serves", flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
