"""A search that trains nothing: it tells what a script says, with the real events and request."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.lab import PYTHON, Lab, Recording

from amlocal.plan import (
    BEST_MODEL,
    AutoML,
    AutoMLLimits,
    Component,
    DataValue,
    Input,
    Job,
    JobInfo,
    Output,
    Settings,
    Step,
)

#: Reads the request with the real reader; a trial that `state/` has is told as known.
PROGRAM = """
import json, pathlib, sys, time
from automlkit.events import Events, Finished, Setup, TrialEnded, TrialStarted
from automlkit.request import read_request

script = json.loads(pathlib.Path(sys.argv[1]).read_text())
out = pathlib.Path(sys.argv[5])
request = read_request(pathlib.Path(sys.argv[3]))
(out / "state").mkdir(parents=True, exist_ok=True)
events = Events(out / "events.jsonl")
for action, given in script:
    if action == "setup":
        events.tell(Setup(**given))
    elif action == "trial":
        number, kept = given["trial"], out / "state" / str(given["trial"])
        start = {key: given[key] for key in ("trial", "algorithm", "hyperparameters")}
        events.tell(TrialStarted(**start, time=time.time()))
        is_known = kept.exists()
        if not is_known:
            time.sleep(given.get("seconds", 0))
        while not is_known and pathlib.Path(given.get("until_gone", "/none")).exists():
            time.sleep(0.05)
        end = {k: given[k] for k in ("status", "score", "metrics", "message") if k in given}
        end.setdefault("status", "Completed")
        events.tell(TrialEnded(trial=number, time=time.time(), is_known=is_known, **end))
        if end["status"] == "Completed":
            kept.touch()
    elif action == "model":
        (out / "model").mkdir()
        (out / "model" / "MLmodel").write_text("flavors: {}\\n")
        (out / "leaderboard.json").write_text("[]")
        (out / "explanation").mkdir()
        (out / "explanation" / "importance.png").write_bytes(b"png")
    elif action == "request":
        pathlib.Path(given).write_text(pathlib.Path(sys.argv[3]).read_text())
    elif action == "finish":
        events.tell(Finished(**given))
    elif action == "hold":
        while pathlib.Path(given).exists():
            time.sleep(0.05)
    elif action == "raw":
        with (out / "events.jsonl").open("a") as file:
            file.write(given)
    elif action == "exit":
        print(given[1], file=sys.stderr)
        sys.exit(given[0])
"""
Script = list[tuple[str, Any]]

SETUP = {
    "validation": {"type": "cross_validation", "folds": 3, "rows": 900},
    "featurization": [{"column": "age", "purpose": "Numeric"}],
    "guardrails": [
        {"check": "Class balance", "state": "alerted", "detail": "9 of 10 rows are of one class"},
        {"check": "Missing values", "state": "passed", "detail": "none are missing"},
    ],
}


def trial(number: int, score: float | None, algorithm: str = "LightGBM", **given: Any) -> Any:
    found = {"trial": number, "algorithm": algorithm, "hyperparameters": {"rate": 0.5}}
    metrics = {} if score is None else {"AUC_weighted": score, "accuracy": score / 2}
    return ("trial", {**found, "score": score, "metrics": metrics, **given})


def finish(best: int = 0, **given: Any) -> Script:
    found = {"best_trial": best, "stopped_because": "exhausted", "reason": "it is the best"}
    metrics = {"AUC_weighted": 0.9, "accuracy": 0.45}
    return [("model", None), ("finish", {**found, "metrics": metrics, **given})]


def automl_step(name: str = "automl", data: Path | None = None, **given: Any) -> Step:
    limits = given.pop("limits", {})
    output = Output(type="mlflow_model", **given.pop("output", {}))
    return Step(
        name=name,
        component=Component(
            command="",
            inputs={"training_data": Input(type="mltable")},
            outputs={BEST_MODEL: output},
            **given.pop("component", {}),
        ),
        inputs={"training_data": DataValue(path=str(data), type="mltable")},
        outputs={BEST_MODEL: output},
        automl=AutoML(
            task="classification",
            primary_metric="AUC_weighted",
            target_column_name="income",
            limits=AutoMLLimits(**limits),
            **given,
        ),
    )


@dataclasses.dataclass
class Searches:
    """Runs AutoML jobs whose search follows a script."""

    lab: Lab

    @property
    def data(self) -> Path:
        folder = self.lab.project / "table"
        if not folder.exists():
            self.lab.write("table/MLTable", "paths: [{file: ./rows.csv}]\n")
            self.lab.write("table/rows.csv", "age,income\n1,2\n")
        return folder

    def write(self, script: Script) -> None:
        self.lab.write("search.py", PROGRAM)
        self.lab.write("script.json", json.dumps(script))

    def jobs(self, script: Script | None = None) -> Any:
        """Return the workspace's jobs; None takes the script that was written."""
        if script is not None:
            self.write(script)
        folder = self.lab.project
        command = (PYTHON, str(folder / "search.py"), str(folder / "script.json"))
        jobs = self.lab.client.jobs
        return dataclasses.replace(
            jobs, services=dataclasses.replace(jobs.services, automl=command)
        )

    def job(self, *, settings: Settings | None = None, **given: Any) -> Job:
        return Job(
            type="automl",
            steps=(automl_step(data=self.data, **given),),
            experiment_name="tests",
            settings=settings or Settings(),
        )

    def run(self, script: Script, job: Job | None = None, **options: Any) -> JobInfo:
        reporter = options.pop("reporter", None) or Recording()
        found: JobInfo = self.jobs(script).create_or_update(
            job or self.job(), reporter=reporter, **options
        )
        return found


@pytest.fixture
def searches(lab: Lab) -> Searches:
    return Searches(lab)


def trials_of(job: JobInfo, tell: Callable[[JobInfo], Any]) -> list[Any]:
    return [tell(info) for info in job.children]


def json_of(path: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(path.read_text())
    return found


def main(project: str, shared: str) -> None:
    """Run the job of a folder as `lost`, in a process that can be killed."""
    searches = Searches(Lab.open(Path(project), shared=Path(shared)))
    searches.jobs().create_or_update(searches.job(), name="lost", reporter=Recording())


if __name__ == "__main__":
    main(*sys.argv[1:])
