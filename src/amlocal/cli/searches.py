"""Sweeps and AutoML jobs in words: what was found, the best trials, what was checked."""

from __future__ import annotations

from amlocal.cli import text, trials
from amlocal.cli.terminal import Terminal
from amlocal.plan import AutoMLInfo, JobInfo, JobStatus, SearchInfo, best_trial

#: Trials that are shown of a job, and of one that has just ended.
MOST_TRIALS = 25
FEW_TRIALS = 5
#: Guardrails in these states ask for somebody's attention.
_ALERTS = ("alerted", "fixed")


def facts(info: JobInfo) -> dict[str, str]:
    """Return what a search has found, or what a trial tries."""
    if info.trial is not None:
        return {"trial": f"{info.trial.number} of {info.parent}: {trials.tried(info.trial)}"}
    search = info.search
    if search is None:
        return {}
    found = {"objective": f"{search.goal} {search.metric}"}
    if search.value is not None:
        best = f"{search.best_trial}: {search.metric} {text.number(search.value)}"
        found["best trial"] = f"{best} with {tried(search)}"
    if isinstance(search, AutoMLInfo):
        found["because"] = search.reason
        found["ended by"] = search.stopped_because
        found["validation"] = ", ".join(f"{k} {v}" for k, v in search.validation.items())
        numbers = search.test_metrics.items()
        found["on test data"] = ", ".join(f"{k} {text.number(v)}" for k, v in numbers)
    return found


def tried(search: SearchInfo) -> str:
    """Return what a search's best trial tries, on one line."""
    algorithm = search.algorithm if isinstance(search, AutoMLInfo) else ""
    return trials.with_algorithm(algorithm, search.parameters)


def guardrails(info: JobInfo, *, only_alerts: bool = False) -> list[str]:
    """Return what AutoML checked of its data, a line each."""
    checks = info.automl.guardrails if info.automl is not None else ()
    shown = [each for each in checks if not only_alerts or each.state in _ALERTS]
    return [text.clean(f"  {each.state}: {each.check}: {each.detail}") for each in shown]


def table(info: JobInfo, terminal: Terminal, most: int) -> list[str]:
    """Return the lines of the table of a search's trials, the best ones first.

    Args:
        info: The search's job.
        terminal: Where it is shown.
        most: How many trials are shown.
    """
    search = info.search
    if search is None:
        return []
    ranked = sorted(info.children, key=lambda each: _rank(search, each))
    best = best_trial(search.goal, ranked)
    rows = trials.rows(search, ranked[:most], best, terminal.marks.best)
    if not rows:
        return []
    width = terminal.width - 2 if terminal.is_terminal else None
    lines = text.table(rows, width=width, ellipsis=terminal.marks.ellipsis).splitlines()
    if len(ranked) > len(rows):
        lines.append(f"{len(ranked) - len(rows)} more: aml job list -p {info.name} --all-results")
    return lines


def _rank(search: SearchInfo, trial: JobInfo) -> tuple[bool, float]:
    sign = 1 if search.goal == "minimize" else -1
    value = trial.trial.value if trial.trial is not None else None
    is_judged = trial.status is JobStatus.COMPLETED and value is not None
    return not is_judged, sign * (value or 0.0) if is_judged else 0.0
