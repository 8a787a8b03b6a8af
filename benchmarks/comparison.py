"""What a benchmark found, as tables and as JSON."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from measuring import Timings


@dataclass(frozen=True, slots=True)
class Goal:
    """A ratio that is to stay below a limit.

    Attributes:
        what: What is compared.
        ratio: What was measured.
        limit: What it may be at most.
    """

    what: str
    ratio: float
    limit: float

    @property
    def is_met(self) -> bool:
        """Whether the ratio is within its limit."""
        return self.ratio <= self.limit


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a run of the benchmark found.

    Attributes:
        machine: Facts of the machine.
        versions: The version of each tool.
        peers: The timings of each tool for one chain.
        growth: The timings of `aml` for chains of several lengths, by length.
    """

    machine: Mapping[str, str]
    versions: Mapping[str, str]
    peers: Mapping[str, Timings]
    growth: Sequence[Timings]

    def goals(self) -> list[Goal]:
        """Return the goals for which there are measurements."""
        goals: list[Goal] = []
        aml, kfp, dvc = (self.peers.get(name) for name in ("aml", "kfp.local", "dvc"))
        if aml and kfp:
            ratio = aml.first_median / kfp.first_median
            goals.append(Goal(f"aml / kfp.local, {aml.steps} steps", ratio, 1.0))
        if aml and dvc and aml.again_median is not None and dvc.again_median is not None:
            ratio = aml.again_median / dvc.again_median
            goals.append(Goal(f"aml / dvc, {aml.steps} steps unchanged", ratio, 0.5))
        costs = {timings.steps: timings.first_median / timings.steps for timings in self.growth}
        if 10 in costs and 1000 in costs:
            ratio = costs[1000] / costs[10]
            goals.append(Goal("aml, cost a step at 1000 steps / at 10", ratio, 1.5))
        return goals

    def text(self) -> str:
        """Return the report as tables."""
        lines = [f"{name:<10}{value}" for name, value in self.machine.items()]
        if self.peers:
            lines += ["", *self._peers()]
        if self.growth:
            lines += ["", *self._growth()]
        goals = self.goals()
        if goals:
            lines += ["", f"{'goal':<44}{'measured':>9}{'at most':>9}"]
        for goal in goals:
            verdict = "met" if goal.is_met else "missed"
            lines.append(f"{goal.what:<44}{goal.ratio:>9.2f}{goal.limit:>9.2f}  {verdict}")
        return "\n".join(lines)

    def json(self) -> dict[str, Any]:
        """Return the report as values for JSON, every single timing in it."""
        return {
            "machine": dict(self.machine),
            "versions": dict(self.versions),
            "peers": {name: asdict(timings) for name, timings in self.peers.items()},
            "growth": [asdict(timings) for timings in self.growth],
            "goals": [{**asdict(goal), "met": goal.is_met} for goal in self.goals()],
        }

    def _peers(self) -> list[str]:
        timings = next(iter(self.peers.values()))
        runs = len(timings.first)
        lines = [
            f"A chain of {timings.steps} Python steps; seconds of the whole process, "
            f"median (and range) of {runs}:",
            f"{'':<12}{'version':<12}{'every step due':>27}{'unchanged':>27}"
            f"{'x shell':>9}{'aml / it':>10}",
        ]
        shell, aml = self.peers.get("shell"), self.peers.get("aml")
        for name, one in self.peers.items():
            of_shell = f"{one.first_median / shell.first_median:.1f}" if shell else ""
            of_aml = f"{aml.first_median / one.first_median:.2f}" if aml else ""
            lines.append(
                f"{name:<12}{self.versions.get(name, ''):<12}{_seconds(one.first):>27}"
                f"{_seconds(one.again):>27}{of_shell:>9}{of_aml:>10}"
            )
        return lines

    def _growth(self) -> list[str]:
        lines = [
            "How the cost of aml grows; seconds, median (and range):",
            f"{'steps':>7}{'every step due':>27}{'a step':>9}{'a further step':>16}"
            f"{'unchanged':>27}",
        ]
        before: Timings | None = None
        for one in self.growth:
            further = ""
            if before is not None:
                seconds = one.first_median - before.first_median
                further = f"{seconds / (one.steps - before.steps):.4f}"
            lines.append(
                f"{one.steps:>7}{_seconds(one.first):>27}{one.first_median / one.steps:>9.4f}"
                f"{further:>16}{_seconds(one.again):>27}"
            )
            before = one
        return lines


def _seconds(values: Sequence[float]) -> str:
    if not values:
        return "runs everything"
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def machine_facts() -> dict[str, str]:
    """Return what of this machine bears on timings."""
    facts = {
        "machine": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return {**facts, "load": f"{load} (1, 5, 15 minutes; what else runs here makes timings worse)"}


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
