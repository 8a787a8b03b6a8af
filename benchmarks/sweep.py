"""Measures sweeps: `python benchmarks/sweep.py`.

What a trial costs over the bare script, from sweeps of a trivial script one trial at a time; and
how much faster two trials side by side are than one, from a script that computes. Every sweep has
a seed of its own, so that nothing is reused, and is checked to have tried what it was asked to.
With `--sampling`, how good the points of a bayesian sweep are instead; see `sampling`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from commands import output_of
from comparison import Goal, machine_facts
from measuring import sane_environment

#: Seconds that a trial may cost beside its script.
MOST_OVERHEAD = 0.15
#: How much faster two trials on two cores are to be than one.
LEAST_SPEEDUP = 1.8

PROGRAM = """
import json, os, sys, time, urllib.request

value, seconds = float(sys.argv[1]), float(sys.argv[2])
end = time.process_time() + seconds
while time.process_time() < end:
    pass
if "MLFLOW_RUN_ID" in os.environ:
    body = {
        "run_id": os.environ["MLFLOW_RUN_ID"],
        "key": "loss",
        "value": value * value,
        "timestamp": round(time.time() * 1000),
    }
    request = urllib.request.Request(
        os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=60).close()
"""
JOB = """\
$schema: https://azuremlschemas.azureedge.net/latest/sweepJob.schema.json
type: sweep
experiment_name: sweep-benchmark
trial:
  code: ./src
  command: python trial.py ${{search_space.x}} ${{inputs.seconds}}
  environment:
    image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04
inputs:
  seconds: 0.0
sampling_algorithm: {type: random, seed: 0}
search_space:
  x: {type: uniform, min_value: -1, max_value: 1}
objective: {goal: minimize, primary_metric: loss}
limits: {max_total_trials: 2, max_concurrent_trials: 1}
"""


@dataclass(slots=True)
class Found:
    """What was measured, in seconds.

    Attributes:
        trials: Trials of each sweep of the trivial script.
        script: The trivial script by itself.
        sweeps: Whole sweeps of it, one trial at a time.
        one: Whole sweeps of the script that computes, one trial at a time.
        two: The same, two trials side by side.
    """

    trials: int
    script: list[float] = field(default_factory=list)
    sweeps: list[float] = field(default_factory=list)
    one: list[float] = field(default_factory=list)
    two: list[float] = field(default_factory=list)

    @property
    def overhead(self) -> float:
        """What a trial costs over the bare script, the sweep's own start and end shared out."""
        return statistics.median(self.sweeps) / self.trials - statistics.median(self.script)

    @property
    def speedup(self) -> float:
        """How many times as fast two trials side by side are."""
        return statistics.median(self.one) / statistics.median(self.two)

    def goals(self) -> list[Goal]:
        """Return what was to be reached."""
        return [
            Goal(f"overhead a trial of {self.trials}, seconds", self.overhead, MOST_OVERHEAD),
            Goal("two trials at once / one, time", 1 / self.speedup, 1 / LEAST_SPEEDUP),
        ]

    def text(self) -> str:
        """Return it as lines."""
        rows = [
            ("the script by itself", self.script),
            (f"a sweep of {self.trials} trials, one at a time", self.sweeps),
            ("a sweep that computes, one at a time", self.one),
            ("the same, two at once", self.two),
        ]
        lines = [f"{'seconds':<44}{'median':>9}{'least':>9}{'most':>9}"]
        for what, values in rows:
            median = statistics.median(values)
            lines.append(f"{what:<44}{median:>9.3f}{min(values):>9.3f}{max(values):>9.3f}")
        lines.append(f"\n{'goal':<44}{'measured':>9}{'at most':>9}")
        for goal in self.goals():
            verdict = "met" if goal.is_met else "missed"
            lines.append(f"{goal.what:<44}{goal.ratio:>9.3f}{goal.limit:>9.3f}  {verdict}")
        return "\n".join(lines)


@dataclass
class Project:
    """A folder with the sweep's job file and script, and a workspace of its own."""

    folder: Path
    environ: Mapping[str, str]
    turn: int = 0

    @classmethod
    def write(cls, folder: Path) -> Project:
        """Write it, and start its tracking server."""
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "src").mkdir(parents=True)
        (folder / "src" / "trial.py").write_text(PROGRAM)
        (folder / "sweep.yml").write_text(JOB)
        environ = sane_environment(os.environ, Path(sys.executable).parent, folder / "home")
        project = cls(folder, environ | {"AMLOCAL_HOME": str(folder / ".amlocal")})
        project.aml("workspace", "up")
        return project

    def aml(self, *arguments: str) -> str:
        """Run `aml` and return what it wrote; raises RuntimeError where it fails."""
        aml = str(Path(sys.executable).with_name("aml"))
        return self._run([aml, *arguments])

    def _run(self, command: Sequence[str]) -> str:
        return output_of(command, cwd=self.folder, environ=self.environ)

    def script(self) -> float:
        """Return the seconds of the trivial script by itself."""
        start = time.perf_counter()
        self._run([sys.executable, "src/trial.py", "0.5", "0"])
        return time.perf_counter() - start

    def sweep(self, trials: int, *, at_once: int, seconds: float) -> float:
        """Return the seconds of a whole sweep.

        Raises:
            RuntimeError: It has not completed every trial.
        """
        self.turn += 1
        settings = [
            f"sampling_algorithm.seed={self.turn}",
            f"limits.max_total_trials={trials}",
            f"limits.max_concurrent_trials={at_once}",
            f"inputs.seconds={seconds}",
        ]
        # Once without measuring the compilation: in everyday use the plan is cached.
        self.aml("job", "validate", "-f", "sweep.yml", "--set", *settings)
        arguments = ["-f", "sweep.yml", "--stream", "--max-parallel", str(at_once)]
        start = time.perf_counter()
        self.aml("job", "create", *arguments, "--set", *settings)
        spent = time.perf_counter() - start
        job = json.loads(self.aml("job", "list", "--max-results", "1", "-o", "json"))[0]["name"]
        children = json.loads(self.aml("job", "show", "-n", job, "-o", "json"))["children"]
        done = sum(child["status"] == "Completed" for child in children)
        if done != trials:
            raise RuntimeError(f"{done} of {trials} trials completed")
        return spent

    def close(self) -> None:
        """End the tracking server."""
        self.aml("workspace", "down")


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=200, help="trials of the trivial script")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    parser.add_argument("--seconds", type=float, default=3.0, help="what the other script computes")
    parser.add_argument("--folder", type=Path, default=Path(".benchmarks"), help="working folder")
    parser.add_argument("--sampling", action="store_true", help="measure the points, not the time")
    parser.add_argument("--seeds", type=int, default=20, help="of the points, with --sampling")
    parser.add_argument("--json", type=Path, help="write every timing to this file as well")
    return parser.parse_args(argv)


def measure(project: Project, arguments: argparse.Namespace) -> Found:
    """Return the timings, those that are compared taken in turns."""
    found = Found(arguments.trials)
    for turn in range(1, arguments.rounds + 1):
        print(f"-- round {turn} of {arguments.rounds}", file=sys.stderr, flush=True)
        found.script += [project.script() for _ in range(5)]
        found.sweeps.append(project.sweep(arguments.trials, at_once=1, seconds=0.0))
        found.one.append(project.sweep(8, at_once=1, seconds=arguments.seconds))
        found.two.append(project.sweep(8, at_once=2, seconds=arguments.seconds))
    return found


def main_of_sampling(arguments: argparse.Namespace) -> int:
    """Measure how good the points are, and print it."""
    import sampling  # optuna: half a second that only this pays

    found = sampling.measure(sampling.TRIALS, arguments.seeds)
    print(f"{sampling.TRIALS} trials, {arguments.seeds} seeds\n\n{sampling.text(found)}")
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(each) for each in found], indent=2) + "\n")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print what was found."""
    arguments = parse(argv)
    if arguments.sampling:
        return main_of_sampling(arguments)
    facts = machine_facts()
    project = Project.write(arguments.folder.absolute() / "sweep")
    try:
        found = measure(project, arguments)
    finally:
        project.close()
    print("\n".join(f"{name:<10}{value}" for name, value in facts.items()))
    print(f"\n{found.text()}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": facts, **asdict(found)}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
