"""Measures the local engine against its peers: `python benchmarks/engine.py`.

Installs the peers (kfp, dvc, snakemake, metaflow) into virtual environments of their own under
`.benchmarks/`, runs the same chain of trivial Python steps with each in its documented local mode,
checks that the last step wrote the right number, and prints whole-process times and ratios.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from comparison import Report, machine_facts
from measuring import Timings, measure
from peers import PEERS, Peer

#: The length at which the tools are compared.
STEPS = 10


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--peers", nargs="*", choices=list(PEERS), default=list(PEERS), help="which to compare"
    )
    parser.add_argument(
        "--steps",
        nargs="*",
        type=int,
        default=[1, 10, 100, 1000],
        help="lengths of chain that aml alone is measured at; none with no value",
    )
    parser.add_argument("--rounds", type=int, default=5, help="measured runs of each tool")
    parser.add_argument("--folder", type=Path, default=Path(".benchmarks"), help="working folder")
    parser.add_argument("--json", type=Path, help="write every timing to this file as well")
    return parser.parse_args(argv)


def rounds_for(steps: int, rounds: int) -> int:
    """Return how often a chain is measured: long ones less often, since they vary less."""
    return max(1, min(rounds, rounds * STEPS // steps))


def versions(names: Sequence[str]) -> dict[str, str]:
    """Return the version of each tool that is a package."""
    found = {"aml": importlib.metadata.version("amlocal")} if "aml" in names else {}
    for name in names:
        for requirement in PEERS[name].requirements:
            found[name] = requirement.partition("==")[2]
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print what was found."""
    arguments = parse(argv)
    folder = arguments.folder.absolute()
    facts = machine_facts()
    chosen: list[Peer] = [PEERS[name] for name in arguments.peers]

    def say(text: str) -> None:
        print(f"-- {text}", file=sys.stderr, flush=True)

    peers = measure(chosen, STEPS, arguments.rounds, folder, say) if chosen else {}
    growth: list[Timings] = []
    for steps in sorted(set(arguments.steps)):
        rounds = rounds_for(steps, arguments.rounds)
        growth += measure([PEERS["aml"]], steps, rounds, folder, say).values()
    report = Report(facts, versions(arguments.peers), peers, growth)
    print(report.text())
    if arguments.json:
        arguments.json.write_text(json.dumps(report.json(), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
