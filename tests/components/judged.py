"""Small models with hand-made reports, for the gate and the registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gate
import numpy as np
import pandas as pd
import register
import train

from stepkit.figures import Against, Figure, Figures, write_figures
from stepkit.model import load_model, score
from stepkit.program import write_json
from stepkit.table import digest, read_table, write_table

POLICY = """\
name: small
require:
  - {figure: r2, at_least: 0.1}
  - {figure: rmse, no_worse_than_champion: {by: 50%}}
advise:
  - {figure: mae, at_most: 0.1}
"""


class Candidates:
    """Trains linear models of one small table, and passes them through gate and registry.

    Args:
        folder: Where everything is written.
        step_run: Opens the run of a step.
    """

    def __init__(self, folder: Path, step_run) -> None:
        self.folder = folder
        self._step_run = step_run
        rng = np.random.default_rng(0)
        table = pd.DataFrame(rng.normal(size=(400, 3)), columns=["a", "b", "c"])
        table["y"] = 3 * table["a"] + 2 * table["b"] + table["c"] + rng.normal(size=400)
        write_table(table.head(200), folder / "train")
        write_table(table.tail(200).reset_index(drop=True), folder / "test")
        (folder / "policy.yml").write_text(POLICY)

    def train(self, name: str, *, ignore: str = "", against: Against | None = None) -> Path:
        """Train a model without some features, and write its evaluation."""
        model = self.folder / name
        data = ["--data", str(self.folder / "train"), "--target", "y", "--estimator", "linear"]
        self._step_run("train")
        train.main([*data, "--ignore", ignore, "--model", str(model)])
        self.evaluate(name, against)
        return model

    def evaluate(self, name: str, against: Against | None = None) -> None:
        """Write a report as `evaluate` does, with the figures that a test needs."""
        model, rows = self.folder / name, self.folder / "test"
        metrics = score(load_model(model), read_table(rows)).metrics
        report = self.folder / f"{name}-evaluation"
        figures = [
            Figure(
                metric,
                "predictive",
                value,
                "more" if metric == "r2" else "less",
                sample=200,
                low=value - 0.05,
                high=value + 0.05,
                against=against if metric == "rmse" else None,
            )
            for metric, value in metrics.items()
        ]
        write_figures(report, Figures("evaluate", digest(model), digest(rows), figures))
        said = {"task": "regression", "target": "y", "test_data_digest": digest(rows)}
        write_json(report / "metrics.json", {**said, "metrics": metrics})

    def gate(self, name: str, *arguments: str, with_rows: bool = True) -> dict[str, Any]:
        """Judge a model, and return the decision."""
        self.run = self._step_run("gate")
        given = ["--policy", str(self.folder / "policy.yml")]
        given += ["--evaluation", str(self.folder / f"{name}-evaluation")]
        given += ["--test-data", str(self.folder / "test")] if with_rows else []
        gate.main([*given, "--decision", str(self.folder / "decision"), *arguments])
        return json.loads((self.folder / "decision/gate.json").read_text())

    def register(self, name: str) -> dict[str, Any]:
        """Register a model as the gate decided last, and return what was done."""
        self.run = self._step_run("register")
        given = ["--model", str(self.folder / name), "--decision", str(self.folder / "decision")]
        given += ["--evaluation", str(self.folder / f"{name}-evaluation")]
        register.main([*given, "--registration", str(self.folder / "registration")])
        return json.loads((self.folder / "registration/decision.json").read_text())

    def through(self, name: str, *arguments: str) -> dict[str, Any]:
        """Judge and register a model."""
        self.gate(name, *arguments)
        return self.register(name)
