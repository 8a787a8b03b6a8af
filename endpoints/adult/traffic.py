"""Send rows of Adult to an endpoint, and write down, late, what turned out to be true.

    python endpoints/adult/traffic.py --seconds 60 --rate 20 --shift

Nothing but rows of the test part is sent, one a request. With `--shift` the world has changed:
older people ask, they work longer hours, and pay goes by other rules, so that a model of the old
world errs. The truth goes to the folder where the monitor and the retraining look for it.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import io
import itertools
import json
import os
import random
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow.parquet

PROJECT = Path(__file__).parents[2]
TABLE = PROJECT / "data/adult-test.parquet"
TARGET = "income"
#: Not known of those who ask.
LEFT_OUT = (TARGET, "fnlwgt")
#: Where the truth lies on this machine; azureml://datastores/workspaceblobstore/paths/... to jobs.
TRUTH = Path("datastores/workspaceblobstore/adult/ground_truth")

_MANUAL = frozenset(
    (
        "Craft-repair",
        "Farming-fishing",
        "Handlers-cleaners",
        "Machine-op-inspct",
        "Transport-moving",
    )
)
_OFFICE = frozenset(("Adm-clerical", "Exec-managerial", "Sales"))
#: Who is younger asks less often in the changed world.
_OLDER, _YOUNGER_SHARE = 45, 0.25
_SENDERS = 8
#: Seconds between two files of truth.
_TELLING = 5.0
_Row = dict[str, Any]


def shifted(row: _Row) -> _Row:
    """Return a row as it is in the changed world.

    Everybody works eight hours more; who works with their hands and long is paid well, and an
    office pays well only with a degree.
    """
    hours = min(row["hours_per_week"] + 8, 99)
    income = row[TARGET]
    if row["occupation"] in _MANUAL and hours >= 48:
        income = ">50K"
    elif row["occupation"] in _OFFICE and row["education_num"] < 13:
        income = "<=50K"
    return {**row, "hours_per_week": hours, TARGET: income}


def rows_of(table: Path, *, seed: int, shift: bool) -> Iterator[_Row]:
    """Give rows in a random order, again and again; with a shift, one in four of the younger ones.

    So the changed world stays as it is, however many rows are taken of it.
    """
    rows = pyarrow.parquet.read_table(table).to_pylist()
    source = random.Random(seed)  # noqa: S311 - a demo's traffic
    while True:
        for number in source.sample(range(len(rows)), len(rows)):
            if not shift:
                yield rows[number]
            elif rows[number]["age"] >= _OLDER or source.random() < _YOUNGER_SHARE:
                yield shifted(rows[number])


@dataclass
class Traffic:
    """Requests to an endpoint, sent in the background.

    Attributes:
        address: The scoring address.
        key: Opens it.
        rows: What is sent.
        truth: The folder that the truth is written to.
        rate: Requests a second; may be changed meanwhile.
        truth_delay: Seconds until the truth of a row is known.
    """

    address: str
    key: str
    rows: Iterator[_Row]
    truth: Path
    rate: float = 20.0
    truth_delay: float = 2.0
    statuses: Counter[str] = field(default_factory=Counter)
    right: int = 0
    _pending: list[tuple[float, str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _due: float = 0.0

    @property
    def answered(self) -> int:
        """How many requests were answered with a prediction."""
        return self.statuses["200"]

    def start(self) -> None:
        """Begin to send."""
        self._due = time.monotonic()
        for work in (self._keep_telling, *[self._send] * _SENDERS):
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End, and write what truth is still to come."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        if self._pending:
            time.sleep(self.truth_delay)
        self.tell()

    def wait_for(self, answered: int, *, seconds: float) -> None:
        """Wait for so many answers, and until the truth of them is known.

        Raises:
            TimeoutError: They did not come in time.
        """
        deadline = time.monotonic() + seconds
        while self.answered < answered:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.answered} answers of {answered}: {dict(self.statuses)}")
            time.sleep(0.2)
        time.sleep(self.truth_delay)
        self.tell()

    def tell(self) -> None:
        """Write the truth that is known by now into a file of its own."""
        now = time.monotonic()
        with self._lock:
            known = [each for each in self._pending if each[0] + self.truth_delay <= now]
            self._pending = [each for each in self._pending if each[0] + self.truth_delay > now]
        if known:
            write_truth(self.truth, [(request, income) for _, request, income in known])

    def _keep_telling(self) -> None:
        while not self._over.wait(_TELLING):
            self.tell()

    def _turn(self) -> tuple[float, _Row]:
        with self._lock:
            # What could not be sent in time is not made up for.
            self._due = max(self._due + 1 / self.rate, time.monotonic() - 1.0)
            return self._due, next(self.rows)

    def _send(self) -> None:
        place = urlsplit(self.address)
        connection = http.client.HTTPConnection(place.netloc, timeout=30)
        while not self._over.is_set():
            due, row = self._turn()
            if self._over.wait(max(0.0, due - time.monotonic())):
                break
            request = str(uuid.uuid4())
            try:
                status, answer = _ask(connection, place.path, self.key, request, row)
            except (OSError, http.client.HTTPException) as error:
                status, answer = type(error).__name__, None
                connection.close()
            with self._lock:
                self.statuses[status] += 1
                self.right += answer == [row[TARGET]]
                if status == "200":
                    self._pending.append((time.monotonic(), request, row[TARGET]))
        connection.close()


def _ask(
    connection: http.client.HTTPConnection, path: str, key: str, request: str, row: _Row
) -> tuple[str, Any]:
    features = {name: value for name, value in row.items() if name not in LEFT_OUT}
    body = {"input_data": {"columns": list(features), "data": [list(features.values())]}}
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "x-request-id": request,
    }
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read()
    return str(answer.status), json.loads(text) if answer.status == 200 else None


def write_truth(folder: Path, known: Sequence[tuple[str, str]]) -> None:
    """Write ids of requests and what was true of them into a new file, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    csv.writer(text).writerows([("correlationid", TARGET), *known])
    name = time.strftime("%Y-%m-%dT%H%M%S")
    # A name that nobody reads until all is there.
    draft = folder / f".{name}.{os.getpid()}"
    draft.write_text(text.getvalue(), encoding="utf-8")
    number = next(n for n in itertools.count() if not (folder / f"{name}-{n}.csv").exists())
    draft.replace(folder / f"{name}-{number}.csv")


def endpoint_of(name: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the scoring address and the key of an endpoint of the workspace."""
    aml = [sys.executable, "-m", "amlocal.cli", "online-endpoint"]
    answers = [
        subprocess.run(
            [*aml, verb, "-n", name, "-o", "json"],
            env=dict(environ),
            check=True,
            stdout=subprocess.PIPE,
        ).stdout
        for verb in ("show", "get-credentials")
    ]
    shown, credentials = map(json.loads, answers)
    return shown["scoring_uri"], credentials["primaryKey"]


def main(argv: Sequence[str] | None = None) -> None:
    """Send for some time, and say what was answered."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--endpoint", default="adult")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=20.0, help="requests a second")
    parser.add_argument("--shift", action="store_true", help="in a world that has changed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--truth-delay", type=float, default=2.0, help="seconds")
    home = Path(os.environ.get("AMLOCAL_HOME", PROJECT / ".amlocal"))
    parser.add_argument("--truth", type=Path, default=home / TRUTH, help="folder")
    args = parser.parse_args(argv)
    address, key = endpoint_of(args.endpoint, os.environ)
    rows = rows_of(TABLE, seed=args.seed, shift=args.shift)
    traffic = Traffic(address, key, rows, args.truth, args.rate, args.truth_delay)
    traffic.start()
    try:
        time.sleep(args.seconds)
    finally:
        traffic.stop()
    print(f"answers: {dict(traffic.statuses)}; {traffic.right} of {traffic.answered} were right")


if __name__ == "__main__":
    main()
