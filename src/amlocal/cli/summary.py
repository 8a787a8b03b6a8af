"""Jobs, assets, and the workspace in words, for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from amlocal.cli import deploying, searches, text
from amlocal.cli.terminal import Terminal
from amlocal.plan import (
    AssetInfo,
    InputInfo,
    JobInfo,
    JobStatus,
    StepReuse,
    WorkspaceInfo,
)

#: The five things that are tracked of every job.
TRACKED = ("data", "code", "environment", "model", "serving")

#: Without it MLflow's pages open on what they have for language models.
MODE = "workflowType=machine_learning"
#: The parameter in which a step says what came of it.
_CONCLUSION = "conclusion"
_TAIL_LINES = 15
#: At the end of a job, steps that logged more show a line of them.
_FEW_METRICS = 6
#: What such a line begins with, where it was logged; then what is not of a part of the rows.
_FIRST_METRICS = (
    *("auc", "accuracy", "rmse", "r2", "mae"),
    *("gap_auc", "gap_rmse", "cv_auc", "cv_rmse", "leaking_columns"),
    *("train_auc", "train_accuracy", "train_rmse", "train_r2", "train_rows"),
    *("latency_row_p50_ms", "latency_row_p99_ms", "throughput_rows_s", "peak_memory_mb"),
    *("explanation_agreement", "surrogate_fidelity", "worst_cohort_error_ratio"),
    *("rules_pass", "rules_fail", "rules_undecided"),
)
_PLAIN_WIDTH = 100
#: What a wrapped sentence has at least, on however narrow a terminal.
_LEAST_WIDTH = 20
_TAIL_BYTES = 16_384


def run_address(job: JobInfo, server: str = "") -> str:
    """Return the address of a job's page.

    Args:
        job: The job.
        server: Address of the tracking server now, where it may have moved since the job.

    Returns:
        The page in Azure ML studio where it has one, else the run in MLflow's pages; an
        empty string where the job has no run.
    """
    uri = server or job.tracking.uri
    if job.page or not (uri.startswith("http") and job.tracking.run_id):
        return job.page
    run = f"experiments/{job.tracking.experiment_id}/runs/{job.tracking.run_id}"
    return f"{uri}/#/{run}?{MODE}"


def job(info: JobInfo, terminal: Terminal) -> str:
    """Return a job in full: its steps, metrics, inputs, outputs, and the five things tracked."""
    facts = {
        "experiment": info.experiment_name,
        "display name": info.display_name,
        "step": f"{info.step} of {info.parent}" if info.step else "",
        "component": info.component,
        "file": info.source,
        "created": f"{text.moment(info.creation_time)} UTC" if info.creation_time else "",
        "reused from": info.reused_from or "",
        **searches.facts(info),
        "error": info.error,
        "log": info.log,
    }
    parts = [
        _headline(info, terminal),
        *facts_lines(facts),
        *_parts(info, terminal, searches.MOST_TRIALS),
        *section("conclusions", _conclusions(info, terminal), terminal),
        *section("guardrails", searches.guardrails(info), terminal),
        *section("metrics", _metrics(info, terminal), terminal),
        *section("inputs", facts_lines({k: _input(v) for k, v in info.inputs.items()}), terminal),
        *section("outputs", facts_lines({k: v.path for k, v in info.outputs.items()}), terminal),
        *section("versions", _versions(info), terminal),
        *section("tracked", _tracked(info, terminal), terminal),
        *section("look", facts_lines(_links(info)), terminal),
    ]
    return "".join(f"{line}\n" for line in parts)


def ended(info: JobInfo, terminal: Terminal) -> str:
    """Return how a job ended: result, failures with their logs, metrics, and what to do next."""
    parts = ["", _headline(info, terminal)]
    told = searches.facts(info)
    parts += facts_lines({key: told.get(key, "") for key in ("best trial", "because")})
    if info.automl is not None:
        parts += _parts(info, terminal, searches.FEW_TRIALS)
        alerts = searches.guardrails(info, only_alerts=True)
        parts += section("guardrails that were not passed", alerts, terminal)
    for failed in _failures(info):
        parts += _failure(failed, terminal)
    parts += section("conclusions", _conclusions(info, terminal), terminal)
    parts += section("metrics", _metrics(info, terminal, brief=True), terminal)
    if info.status is JobStatus.COMPLETED:
        deploy = [f"  {text.clean(line)}" for line in deploying.commands(info)]
        parts += section("deploy with", deploy, terminal)
    details = {"details": f"aml job show -n {info.name}"}
    parts += section("look", facts_lines({**details, **_links(info)}), terminal)
    return "".join(f"{line}\n" for line in parts)


def submitted(info: JobInfo, terminal: Terminal) -> str:
    """Return what to do with a job that goes on by itself."""
    commands = {
        "follow": f"aml job stream -n {info.name}",
        "details": f"aml job show -n {info.name}",
        "end it": f"aml job cancel -n {info.name}",
        "page": run_address(info),
    }
    return "".join(f"{line}\n" for line in [_headline(info, terminal), *facts_lines(commands)])


def reuse(steps: Sequence[StepReuse], terminal: Terminal) -> str:
    """Return why each step ran or was reused, a fact that changed on each line."""
    lines = []
    for each in steps:
        status = JobStatus.COMPLETED if each.reused_from else JobStatus.RUNNING
        mark, colour = terminal.marks.of(status, reused=True)
        lines.append(f"{terminal.style(mark, colour)} {each.step}: {each.reason}")
        lines += [f"    {text.clean(fact)}" for fact in each.changed]
    return "".join(f"{line}\n" for line in lines)


def asset(info: AssetInfo, terminal: Terminal) -> str:
    """Return one version of an asset."""
    facts = {
        "type": info.type,
        "description": info.description,
        "path": info.path,
        "created": f"{text.moment(info.creation_time)} UTC" if info.creation_time else "",
        "aliases": ", ".join(info.aliases),
        "digest": info.digest[:12],
        "archived": "yes" if info.archived else "",
    }
    parts = [
        f"{info.kind} {terminal.style(f'{info.name}:{info.version}', 'bold')}",
        *facts_lines(facts),
        *section("tags", facts_lines(info.tags), terminal),
        *section("properties", facts_lines(info.properties), terminal),
    ]
    return "".join(f"{line}\n" for line in parts)


def workspace(info: WorkspaceInfo, terminal: Terminal) -> str:
    """Return the workspace on this machine."""
    facts = {
        "jobs": str(info.jobs),
        "running": ", ".join(info.running) or "none",
        "tracking": info.tracking_uri or "down; aml workspace up starts it",
        "size": text.size(info.bytes),
    }
    processes = section("processes", facts_lines(info.processes), terminal)
    parts = [f"workspace {terminal.style(info.path, 'bold')}", *facts_lines(facts), *processes]
    return "".join(f"{line}\n" for line in parts)


def log_tail(path: str, lines: int = _TAIL_LINES) -> list[str]:
    """Return the last lines of a log on this machine; none where it cannot be read."""
    try:
        with Path(path).open("rb") as log:
            log.seek(max(0, log.seek(0, 2) - _TAIL_BYTES))
            tail = log.read().decode(errors="replace")
    except OSError:
        return []  # an address in Azure, or a log that was removed: its path is shown anyway
    return [text.clean(line) for line in tail.rstrip().split("\n")[-lines:] if line]


def _headline(info: JobInfo, terminal: Terminal) -> str:
    mark, colour = terminal.marks.of(info.status)
    about = [text.duration(info.duration)] if info.duration else []
    if info.children:
        done = sum(child.status is JobStatus.COMPLETED for child in info.children)
        part = "step" if info.search is None else "trial"
        about.append(f"{done} of {text.plural(len(info.children), part)} completed")
        reused = sum(child.reused_from is not None for child in info.children)
        about += [f"{reused} of them reused"] if reused else []
    status = terminal.style(f"{mark} {info.status.value}", colour)
    return f"{status}  {terminal.style(info.name, 'bold')}" + (
        f"  {', '.join(about)}" if about else ""
    )


def _parts(info: JobInfo, terminal: Terminal, most: int) -> list[str]:
    """Return a pipeline's steps, or the table of a search's trials."""
    if info.search is None:
        return section("steps", _steps(info, terminal), terminal)
    table = searches.table(info, terminal, most)
    return section("trials", [f"  {line}" for line in table], terminal)


def _steps(info: JobInfo, terminal: Terminal) -> Iterator[str]:
    width = max((text.cells(_label(child)) for child in info.children), default=0)
    for child in info.children:
        mark, colour = terminal.marks.of(child.status, reused=child.reused_from is not None)
        about = child.status.value
        if child.reused_from:
            about = f"reused from {child.reused_from}"
        elif child.duration:
            about += f"  {text.duration(child.duration)}"
        if child.search is not None and child.search.value is not None:
            about += f"  best {child.search.metric} {text.number(child.search.value)}"
            about += f" with {searches.tried(child.search)}"
        label = text.pad(_label(child), width)
        yield f"  {terminal.style(mark, colour)} {label}  {about}"


def _versions(info: JobInfo) -> list[str]:
    """Return of a job and of its steps which component and environment exactly they ran."""
    found = {}
    for each in (info, *info.children):
        component, environment = each.tracking.component, each.tracking.environment or {}
        if component is None:
            continue
        ran = f"{each.component} {component.get('content', '')}".strip()
        if content := environment.get("content"):
            ran += f" in {environment.get('name', '')} {content}"
        found[_label(each)] = ran
    return facts_lines(found)


def _conclusions(info: JobInfo, terminal: Terminal) -> list[str]:
    """Return what came of a job and of its steps, as their programs say; wrapped on a terminal."""
    said = {_label(each): each.params.get(_CONCLUSION, "") for each in (info, *info.children)}
    lines = facts_lines(said)
    if not terminal.is_terminal:
        return lines
    indent = " " * (max((text.cells(name) for name, value in said.items() if value), default=0) + 4)
    return [
        part
        for line in lines
        for part in textwrap.wrap(
            line,
            max(terminal.width, len(indent) + _LEAST_WIDTH),
            subsequent_indent=indent,
            break_on_hyphens=False,
        )
    ]


def _label(info: JobInfo) -> str:
    return info.step or info.display_name or info.name


def _metrics(info: JobInfo, terminal: Terminal, *, brief: bool = False) -> Iterator[str]:
    """Yield the metrics of a job, a line each, and of its steps, a paragraph each.

    What a job repeats of its steps, by the same name or as `STEP.METRIC`, is shown once.

    Args:
        info: The job.
        terminal: Where they are shown.
        brief: Whether steps of many metrics show a line of them, the most telling first.
    """
    repeated = {
        key
        for child in info.children
        for name in child.metrics
        for key in (f"{_label(child)}.{name}", name)
        if info.metrics.get(key) == child.metrics[name]
    }
    is_search = info.search is not None  # whose trials have a table
    own = {key: text.number(value) for key, value in sorted(info.metrics.items())}
    yield from facts_lines({k: value for k, value in own.items() if is_search or k not in repeated})
    steps = [child for child in info.children if child.metrics and not is_search]
    width = max((text.cells(_label(child)) for child in steps), default=0)
    for child in steps:
        room = (terminal.width if terminal.is_terminal else _PLAIN_WIDTH) - width - 4
        is_cut = brief and len(child.metrics) > _FEW_METRICS
        names = sorted(child.metrics, key=_telling if is_cut else None)
        pairs = [f"{key} {text.number(child.metrics[key])}" for key in names]
        lines = [_line_of(pairs, room)] if is_cut else _filled(pairs, room)
        for at, line in enumerate(lines):
            yield f"  {text.pad('' if at else _label(child), width)}  {line}"


def _telling(metric: str) -> tuple[int, bool, str]:
    """Return a metric's place in a line that has not room for all."""
    is_first = metric in _FIRST_METRICS
    place = _FIRST_METRICS.index(metric) if is_first else len(_FIRST_METRICS)
    return place, "." in metric, metric


def _line_of(words: Sequence[str], room: int) -> str:
    """Return a line of as many words as find room, one at least, and how many are left out."""
    for count in range(len(words), 1, -1):
        left_out = [f"and {len(words) - count} more"] if count < len(words) else []
        line = "   ".join([*words[:count], *left_out])
        if text.cells(line) <= room:
            return line
    return f"{words[0]}   and {len(words) - 1} more"


def _filled(words: Sequence[str], room: int) -> Iterator[str]:
    """Yield lines of as many words as find room, three spaces apart."""
    line = ""
    for word in words:
        longer = f"{line}   {word}" if line else word
        if line and text.cells(longer) > room:
            yield line
            longer = word
        line = longer
    if line:
        yield line


def _failures(info: JobInfo) -> list[JobInfo]:
    failed = [child for child in info.children if child.status is JobStatus.FAILED]
    if info.search is not None:
        # A search lives through failed trials; of a sweep that has not, the first tells enough.
        failed = failed[:1] if info.sweep and info.status is JobStatus.FAILED else []
    return failed or ([info] if info.status is JobStatus.FAILED else [])


def _failure(info: JobInfo, terminal: Terminal) -> list[str]:
    """Return why a job or step failed, the end of its log, and where the log is."""
    reason, *more = info.error.splitlines() or [""]
    told = text.clean(f"{_label(info)} failed: {reason}" if reason else f"{_label(info)} failed")
    lines = ["", terminal.style(told, "red"), *(f"  {text.clean(line)}" for line in more)]
    if info.log:
        tail = log_tail(info.log)
        lines += ["  the log ends with:", *(f"  | {line}" for line in tail)] if tail else []
        lines.append(f"  log: {info.log}")
    return lines


def _tracked(info: JobInfo, terminal: Terminal) -> Iterator[str]:
    """Yield the five things tracked, a line for each data set or step; `-o json` has the rest."""
    width = max(map(len, TRACKED))
    for name in TRACKED:
        value: dict[str, Any] | None = getattr(info.tracking, name)
        if value is None:
            found = [f"absent: {info.tracking.absent.get(name, 'not recorded')}"]
        elif value and all(isinstance(item, Mapping) for item in value.values()):
            found = [f"{key}: {_brief(item)}" for key, item in value.items()]
        else:
            found = [_brief(value)]
        for title, line in zip([name] + [""] * len(found), found, strict=False):
            text_line = f"  {text.pad(title, width)}  {line}"
            if terminal.is_terminal:
                text_line = text.clip(text_line, terminal.width, terminal.marks.ellipsis)
            yield text_line


def _brief(value: Any) -> str:
    """Return JSON values on one line, names and short values first; hashes are cut as git does."""
    if isinstance(value, Mapping):
        facts = [
            (key != "name", f"{key} {_brief(item)}")
            for key, item in value.items()
            if item not in (None, "", [], {}) and key != "schema"
        ]
        return ", ".join(fact for _, fact in sorted(facts, key=lambda it: (it[0], len(it[1]) > 40)))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_brief, value))
    words = text.clean(str(value))
    is_hash = len(words) >= 40 and all(c in "0123456789abcdef" for c in words)
    return words[:12] if is_hash else words


def _input(info: InputInfo) -> str:
    if info.path is None:
        return str(info.value)
    return f"{info.path}  ({info.digest[:12]})" if info.digest else info.path


def _links(info: JobInfo) -> dict[str, str]:
    has_model = any(job.tracking.model is not None for job in (info, *info.children))
    return {"run": run_address(info), "models": "aml model list" if has_model else ""}


def facts_lines(facts: Mapping[str, str]) -> list[str]:
    """Return `name  value` lines, without the empty ones."""
    given = {name: value for name, value in facts.items() if value}
    width = max(map(text.cells, given), default=0)
    return [f"  {text.pad(name, width)}  {text.clean(value)}" for name, value in given.items()]


def section(title: str, lines: Sequence[str] | Iterator[str], terminal: Terminal) -> list[str]:
    """Return lines under a title, or nothing where there are none."""
    body = list(lines)
    return ["", terminal.style(title, "bold"), *body] if body else []
