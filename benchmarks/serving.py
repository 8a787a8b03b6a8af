"""Measures serving: `python benchmarks/serving.py`.

The Adult gradient-boosting pipeline, one row a request, is served by an amlocal endpoint (through
its router, with keys), by `mlflow models serve`, and by Microsoft's azureml-inference-server-http,
each with one thread a process and the better of one and two processes, under the same load of wrk.
A scoring script is measured alike in an amlocal endpoint and in the bare inference server.

All servers are up at a time and are loaded by turns, for some rounds; of each the median round
counts. The speed of a shared machine drifts by more than servers differ at one connection, and so
drifts for all of them alike.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from comparison import Goal, machine_facts
from serving_load import Load, measure
from serving_peers import Server, Setting, serving

ROOT = Path(__file__).parents[1]
SETTINGS = {
    "amlocal": (Setting("amlocal", 1),),
    "mlflow": (Setting("mlflow", 1), Setting("mlflow", 2)),
    "azmlinfsrv": (Setting("azmlinfsrv", 1), Setting("azmlinfsrv", 2)),
    "amlocal-script": (Setting("amlocal-script", 1), Setting("amlocal-script", 2)),
}
#: Rows that the requests take turns with.
ROWS = 500
_WARM_SECONDS = 3.0

#: By connections, then by peer: all settings that were measured, the best first.
Found = dict[int, dict[str, list[tuple[Setting, Load]]]]


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peers", nargs="*", choices=list(SETTINGS), default=list(SETTINGS))
    parser.add_argument("--connections", nargs="*", type=int, default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=2.0, help="of each load")
    parser.add_argument("--rounds", type=int, default=7, help="how often each is loaded")
    parser.add_argument("--folder", type=Path, default=Path(".benchmarks/serving"))
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return parser.parse_args(argv)


def train(folder: Path) -> Path:
    """Return the folder of the model, trained where it is missing."""
    model = folder / "model"
    if not (model / "MLmodel").exists():
        program = ROOT / "components" / "train" / "train.py"
        command = [sys.executable, str(program), "--data", str(ROOT / "data/adult-train.parquet")]
        command += ["--target", "income", "--ignore", "fnlwgt", "--model", str(model)]
        path = {"PYTHONPATH": str(ROOT / "src")}
        subprocess.run(command, check=True, env={**dict(_kept()), **path}, stdout=sys.stderr)
    return model


def _kept() -> Iterable[tuple[str, str]]:
    return ((name, value) for name, value in os.environ.items() if "MLFLOW" not in name)


@functools.cache
def bodies(form: str) -> list[str]:
    """Return one body a row of the test table, in the form that a server takes."""
    table = pd.read_parquet(ROOT / "data" / "adult-test.parquet").drop(columns=["income", "fnlwgt"])
    rows = json.loads(table.head(ROWS).to_json(orient="values"))
    columns = list(table.columns)
    return [json.dumps({form: {"columns": columns, "data": [row]}}) for row in rows]


def run(
    names: Sequence[str], connections: Sequence[int], seconds: float, rounds: int, folder: Path
) -> Found:
    """Measure every setting of the peers; raises RuntimeError where a request went wrong."""
    model = train(folder)
    with contextlib.ExitStack() as stack:
        servers: dict[Setting, Server] = {}
        for setting in (setting for name in names for setting in SETTINGS[name]):
            place = folder / f"{setting.peer}-{setting.workers}"
            print(f"-- {setting.name}", file=sys.stderr, flush=True)
            servers[setting] = stack.enter_context(serving(setting, model, place))
        loads = {count: _by_turns(servers, count, seconds, rounds, folder) for count in connections}
    found: Found = {count: {name: [] for name in names} for count in connections}
    for count, by_setting in loads.items():
        for setting, measured in by_setting.items():
            found[count][setting.peer].append((setting, _median(measured)))
    for of_peer in (one for by_peer in found.values() for one in by_peer.values()):
        of_peer.sort(key=lambda pair: -pair[1].rps)
    return found


def _by_turns(
    servers: dict[Setting, Server], count: int, seconds: float, rounds: int, folder: Path
) -> dict[Setting, list[Load]]:
    for server in servers.values():
        _loaded(server, count, _WARM_SECONDS, folder)
    loads: dict[Setting, list[Load]] = {setting: [] for setting in servers}
    for turn in range(rounds):
        print(f"-- {count} connections, round {turn + 1}", file=sys.stderr, flush=True)
        for setting, server in servers.items():
            loads[setting].append(_loaded(server, count, seconds, folder))
    return loads


def _median(loads: Sequence[Load]) -> Load:
    """Return the load of the median throughput, of an even number the lower one."""
    middle = statistics.median_low(load.rps for load in loads)
    return next(load for load in loads if load.rps == middle)


def _loaded(server: Server, count: int, seconds: float, folder: Path) -> Load:
    load = measure(
        server.address,
        bodies(server.form),
        connections=count,
        seconds=seconds,
        folder=folder,
        headers=server.headers,
    )
    if load.refused or load.broken:
        text = f"{load.refused} of {load.requests} requests refused, {load.broken} not answered"
        raise RuntimeError(f"{server.address}, {count} connections: {text}")
    return load


def goals(found: Found) -> list[Goal]:
    """Return the goals for which there are measurements, all as ratios that are to be small."""
    best = {
        count: {name: loads[0][1] for name, loads in by_peer.items() if loads}
        for count, by_peer in found.items()
    }
    wanted: list[Goal] = []
    for count, by_peer in best.items():
        ours = by_peer.get("amlocal")
        for name, ratio in (("mlflow", 1 / 10), ("azmlinfsrv", 1 / 7)):
            peer = by_peer.get(name)
            if ours is None or peer is None:
                continue
            if count == 1:
                wanted.append(
                    Goal(f"c1: {name} / amlocal, requests a second", peer.rps / ours.rps, 1)
                )
            if count == 32:
                what = f"c32: {name} / amlocal, requests a second"
                wanted.append(Goal(what, peer.rps / ours.rps, ratio))
                wanted.append(Goal(f"c32: amlocal / {name}, p99", ours.p99_ms / peer.p99_ms, 1))
    for count, by_peer in found.items():
        scripts = {pair[0].workers: pair[1] for pair in by_peer.get("amlocal-script", [])}
        bare = {pair[0].workers: pair[1] for pair in by_peer.get("azmlinfsrv", [])}
        for workers in sorted(set(scripts) & set(bare)):
            what = f"c{count}: bare / routed script, {workers} workers"
            wanted.append(Goal(what, bare[workers].rps / scripts[workers].rps, 1 / 0.9))
    return wanted


def text(found: Found) -> str:
    """Return what was found as tables."""
    lines = [f"{name:<10}{value}" for name, value in machine_facts().items()]
    for count, by_peer in found.items():
        lines += ["", f"{count} connection{'s' if count > 1 else ''}"]
        lines += [f"{'':<28}{'requests/s':>12}{'p50 ms':>10}{'p99 ms':>10}{'max ms':>10}"]
        for setting, load in (pair for loads in by_peer.values() for pair in loads):
            figures = (
                f"{load.rps:>12.1f}{load.p50_ms:>10.1f}{load.p99_ms:>10.1f}{load.max_ms:>10.1f}"
            )
            lines.append(f"{setting.name:<28}{figures}")
    lines += ["", f"{'goal':<44}{'measured':>9}{'at most':>9}"]
    for goal in goals(found):
        verdict = "met" if goal.is_met else "missed"
        lines.append(f"{goal.what:<44}{goal.ratio:>9.3f}{goal.limit:>9.3f}  {verdict}")
    return "\n".join(lines)


def as_json(found: Found) -> dict[str, Any]:
    """Return the best setting of each peer by connections, every figure in it."""
    return {
        f"c{count}": {
            name: {**asdict(loads[0][1]), "workers": loads[0][0].workers}
            for name, loads in by_peer.items()
            if loads
        }
        for count, by_peer in found.items()
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print what was found."""
    arguments = parse(argv)
    folder = arguments.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    found = run(arguments.peers, arguments.connections, arguments.seconds, arguments.rounds, folder)
    print(json.dumps(as_json(found)) if arguments.json else text(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
