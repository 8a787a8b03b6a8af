"""A monitor's step that runs.

ask       what is compared is found in the workspace and becomes the step's inputs (`request`)
run       one process of `monitorkit` computes, writes the report, and logs to the step's run
conclude  what it found is recorded with the step's end, then as events (`findings`)
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from amlocal.errors import TargetError
from amlocal.files import write_whole
from amlocal.local.inputs import StepInputs
from amlocal.local.locations import in_datastore
from amlocal.local.monitors.findings import breaches_of, note_of
from amlocal.local.monitors.job import MODEL_TAG, PREDICTIONS, REPORT
from amlocal.local.monitors.request import Asked, Scored, ask, filled
from amlocal.local.outputs import OutputPlace
from amlocal.local.process import Launch
from amlocal.local.reuse import Verdict
from amlocal.local.step import StepRun
from amlocal.plan import Input, JobInfo, JobStatus, MonitorInfo, Monitoring

#: What `monitorkit` is given, and what it writes.
_REQUEST, _FOUND, _WORDS = "request.json", "monitor.json", "report.md"


@dataclass
class MonitorRun(StepRun):
    """A monitor's step that runs."""

    def __post_init__(self) -> None:
        super().__post_init__()
        assert self.step.monitor is not None
        self.monitoring: Monitoring = self.step.monitor
        self._found: Mapping[str, Any] = {}

    def _run(self) -> None:
        self.services.findings.expect(self.name)
        self.state.change(self.name, status=JobStatus.PREPARING)
        self._asked: Asked = ask(self.monitoring, self.services.facts)
        self._make_room()
        component = self.step.component
        given = {name: Input(type=value.type) for name, value in self._asked.inputs.items()}
        tags = dict(self.step.tags)
        if self._asked.model is not None:
            tags[MODEL_TAG] = self._asked.model.label
        self.step = msgspec.structs.replace(
            self.step,
            component=msgspec.structs.replace(component, inputs={**component.inputs, **given}),
            inputs={**self.step.inputs, **self._asked.inputs},
            tags=tags,
        )
        self.state.change(self.name, tags=tags)
        super()._run()

    def _make_room(self) -> None:
        """Make the folders of the workspace that somebody is to write to, and has not yet."""
        for name in self._asked.awaited:
            value = self._asked.inputs[name]
            if in_datastore(value.path) and value.type == "uri_folder":
                self.services.locations.place(value.path).mkdir(parents=True, exist_ok=True)

    def _start(
        self,
        inputs: StepInputs,
        outputs: Mapping[str, str],
        variables: dict[str, str],
    ) -> int:
        report = self._report = Path(outputs[REPORT])
        places = {name: bound.text for name, bound in inputs.bound.items()}
        scored = self._scored(inputs)
        document = {
            **filled(self._asked.document, places, scored),
            "model_python": self._model_python() if scored else None,
        }
        request = report / _REQUEST
        write_whole(request, msgspec.json.format(msgspec.json.encode(document)))
        line = [*self.services.monitorkit, "--request", str(request), "--out", str(report)]
        self.state.change(self.name, status=JobStatus.RUNNING)
        launch = Launch(variables, self._folders.log())
        code = self.processes.run(shlex.join(line), [launch], self._folders.working)
        # Also where signals failed: it is written last, whole, and the others count.
        if (report / _FOUND).exists():
            self._found = json.loads((report / _FOUND).read_bytes())
        return code

    def _scored(self, inputs: StepInputs) -> dict[Scored, str]:
        """Return where predictions of references are kept, by the content of model and rows."""
        folder = self.services.workspace.cache / PREDICTIONS
        found = {}
        for scored in _scored_in(self._asked.document):
            facts = [inputs.bound[name].digest for name in ("model", scored.input)]
            name = hashlib.sha256(json.dumps([*facts, scored.column]).encode()).hexdigest()
            found[scored] = str(folder / f"{name[:32]}.parquet")
        return found

    def _model_python(self) -> str | None:
        """Return the interpreter that the deployment serves in, where that is not this one."""
        if self._asked.environment is None:
            return None
        resolved = self.services.environments.prepare(
            self._asked.environment, lambda: bool(self.processes.ended_because)
        )
        return str(resolved.python)

    def _found_so_far(self) -> dict[str, Any]:
        return self._outcome(None) if self._found else {}

    def _outcome(self, result: JobInfo | None) -> dict[str, Any]:  # noqa: ARG002 - never reused
        alerts = {each.name: each.alert_enabled for each in self.monitoring.monitor.signals}
        breaches = breaches_of(self._found, alerts)
        model = self._asked.model
        found = MonitorInfo(
            monitor=self.monitoring.name,
            slot=self.monitoring.now,
            verdict=self._found["verdict"],
            note=note_of(self._found, breaches),
            endpoint=self.monitoring.monitor.endpoint_name,
            deployment=self.monitoring.monitor.deployment_name,
            model=model.label if model is not None else "",
            report=str(self._report / _WORDS),
            breaches=breaches,
        )
        return {"monitor": found}

    def _why_failed(self, code: int, what_ended: str = "monitorkit") -> str:
        # By these exit codes it says itself why.
        if code in {1, 2} and (words := self._last_words()):
            return words.removeprefix("error: ")
        return super()._why_failed(code, what_ended)

    def _conclude(
        self, code: int, inputs: StepInputs, places: dict[str, OutputPlace], verdict: Verdict
    ) -> None:
        super()._conclude(code, inputs, places, verdict)
        try:
            self.services.findings.settle(self.services.records)
        except TargetError as error:
            # The run is over all the same, and the scheduler tries it again.
            self.services.note(f"what {self.name} found is no event yet: {error}")


def _scored_in(said: Any) -> Iterator[Scored]:
    if isinstance(said, Scored):
        yield said
    elif isinstance(said, Mapping):
        for value in said.values():
            yield from _scored_in(value)
    elif isinstance(said, (list, tuple)):
        for value in said:
            yield from _scored_in(value)
