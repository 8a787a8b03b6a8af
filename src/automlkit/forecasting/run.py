"""One forecasting search, from its request to its model."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from automlkit.events import Events, Finished, Setup
from automlkit.forecasting.deliver import Delivery
from automlkit.forecasting.explain import Explanation
from automlkit.forecasting.metrics import series_metrics
from automlkit.forecasting.panel import Guardrail, guardrail
from automlkit.forecasting.portfolio import candidates, choose
from automlkit.forecasting.problem import Problem, make_problem
from automlkit.forecasting.search import Search, Stop, Trial
from automlkit.forecasting.state import State
from automlkit.forecasting.workers import Workers
from automlkit.request import Request
from stepkit.program import StepError, write_json

#: Seconds that starting a process, saving, and testing take, beside the last fit; measured under
#: load, with some to spare.
_SAVING = 12.0
#: Seconds that saving takes at least.
_LEAST_SAVING = 2.0
#: Shares of the time: kept for the last fit, and kept for all of the delivery at most.
_LAST_FIT, _MOST_KEPT = 0.12, 0.4
#: What the whole may take longer than its time, and how much of that a second delivery has.
_SLACK, _GRACE = 1.05, 8.0
#: Seconds of the limit from which a second delivery, in a new process, would have time.
_LEAST_FOR_TWO = 120.0
#: Seconds that explaining takes at most, and without which it is not begun.
_EXPLAINING, _LEAST_TO_EXPLAIN = 30.0, 2.0
#: Models that are tried to be delivered, one after the other, if the fit of one does not end.
_ATTEMPTS = 3


def run(request: Request, out: Path, events: Events) -> int:
    """Search, and leave a model in `out/model`.

    Args:
        request: What is asked.
        out: The folder of the search.
        events: What happens is told here.

    Returns:
        0 done, 1 the search failed, 2 the request or its data is wrong; the reason is then the last
        line of standard error.
    """
    # Importing libraries counts.
    began = time.monotonic() - max(0.0, time.time() - psutil.Process().create_time())
    try:
        algorithms, rows = choose(request)
        problem, guardrails = make_problem(request)
        _check_metric(request)
    except StepError as error:
        _say(error)
        return 2
    events.tell(_setup(problem, [*guardrails, *rows, *_explainability(problem)]))
    limit = request.limits.timeout_seconds
    timing = _Timing(began, limit)
    workers = _workers(request, problem, out)
    try:
        state = State(out / "state", problem)
        search = Search(problem, events, state, workers, timing.searching, timing.whole)
        stop = search.run(candidates(problem, algorithms))
        chosen, reason = search.vote()
        delivered, tested = _deliver(problem, search, chosen, workers, out, timing)
        if request.training.enable_model_explainability:
            reason += _explain(delivered, workers, out, timing)
    except StepError as error:
        _say(error)
        return 1
    finally:
        workers.close()
    _finish(events, out, problem, search, stop, delivered, chosen, reason, tested)
    return 0


class _Timing:
    """When searching ends, and when delivering does, on the clock of `time.monotonic`."""

    def __init__(self, began: float, limit: float | None) -> None:
        self.searching: float | None = None
        self.whole = self.first = self.last = math.inf
        if limit is not None:
            kept = min(_SAVING + _LAST_FIT * limit, _MOST_KEPT * limit)
            self.searching = began + limit - kept
            self.whole = began + limit
            self.last = began + limit * _SLACK + _GRACE
            # A process that is ended and made anew takes seconds: of short limits, one try.
            self.first = self.whole if limit >= _LEAST_FOR_TWO else self.last


def _say(error: Exception) -> None:
    print(str(error).replace("\n  -> ", ": "), file=sys.stderr)


def _check_metric(request: Request) -> None:
    import numpy as np

    known = series_metrics(np.asarray([0.0, 1.0]), np.asarray([0.0, 1.0]), 1.0)
    if request.primary_metric not in known:
        raise StepError(
            f"no forecasting metric {request.primary_metric!r}",
            hint=f"one of {', '.join(sorted(known))}",
        )


def _workers(request: Request, problem: Problem, out: Path) -> Workers:
    """Start the child processes, which share the cores."""
    limits = request.limits
    count = max(1, min(limits.max_concurrent_trials, request.cores, limits.max_trials))
    threads = max(1, request.cores // count)
    if limits.max_cores_per_trial > 0:
        threads = min(threads, limits.max_cores_per_trial)
    return Workers(problem, count, threads, out / "trials.log")


def _setup(problem: Problem, guardrails: list[Guardrail]) -> Setup:
    folds = problem.folds
    validation = {
        "type": folds.kind,
        "folds": folds.count,
        "rows": len(problem.frame),
        "series": len(problem.series),
        "horizon": folds.horizon,
        "step": folds.step,
        "frequency": problem.frequency,
        "seasons": list(problem.seasons),
    }
    return Setup(validation, _featurization(problem), guardrails)


def _explainability(problem: Problem) -> list[Guardrail]:
    """Return a row that says what can be ranked where the table has no columns to rank."""
    if not problem.request.training.enable_model_explainability or problem.features.columns:
        return []
    detail = (
        "no columns beside the time, the series, and the target: lags, windows, and the calendar "
        "are ranked where a regression is delivered, else the forecast alone is shown"
    )
    return [guardrail("Explainability", "done", detail)]


def _featurization(problem: Problem) -> list[dict[str, Any]]:
    """Return one row a column: what it is, and how many features come of it."""
    settings, features = problem.request.forecasting, problem.features
    assert settings is not None
    calendar = set(problem.feature_names) - set(problem.given_features)
    sources = features.sources()
    rows = [_row(settings.time_column_name, "DateTime", ["TimeIndexFeaturizer"], len(calendar))]
    rows += [_row(name, "TimeSeriesId", [], 0) for name in settings.time_series_id_column_names]
    rows.append(_row(problem.request.target_column_name, "Target", ["Lag", "RollingWindow"], 0))
    extra = [n for n in problem.raw if n in problem.example and n not in features.columns]
    rows += [_row(str(name), "Ignore", [], 0) for name in extra]
    for name in features.columns:
        count = sum(sources.get(own) == name for own in problem.feature_names)
        if name in features.numeric:
            rows.append(_row(name, "Numeric", ["Imputer"], count))
        else:
            rows.append(_row(name, "Categorical", ["OneHotEncoder"], count))
    if features.country:
        count = len(set(problem.given_features) - set(sources))
        rows.append(_row(f"holidays of {features.country}", "DateTime", ["Holidays"], count))
    return rows


def _row(column: str, purpose: str, transformers: list[str], features: int) -> dict[str, Any]:
    return {
        "column": column,
        "purpose": purpose,
        "transformers": transformers,
        "features": features,
    }


def _deliver(
    problem: Problem, search: Search, chosen: Trial, workers: Workers, out: Path, timing: _Timing
) -> tuple[Trial, dict[str, float]]:
    """Deliver the chosen trial, or the best that there is time for, or else the quickest.

    Raises:
        StepError: None could be delivered.
    """
    quickest = sorted(search.completed, key=lambda trial: trial.seconds)
    message = ""
    left = timing.first - time.monotonic() - _LEAST_SAVING
    if _seconds_to_fit(problem, search, chosen) > left:
        # The best that there is time for.
        fitting = (t for t in search.completed if _seconds_to_fit(problem, search, t) <= left)
        chosen = next(fitting, quickest[0])
    for attempt, trial in enumerate([chosen, *(t for t in quickest if t is not chosen)]):
        if attempt == _ATTEMPTS or time.monotonic() > timing.last:
            break
        task = Delivery(trial.members, trial.predictions, out / "model.new", _facts(problem, trial))
        workers.give(task, trial, math.inf, timing.last if attempt else timing.first)
        (answer,) = workers.answers()
        if answer.status == "Completed":
            _replace(out / "model.new", out / "model")
            return trial, answer.value
        message = str(answer.value)
    raise StepError(f"no model could be delivered: {message or 'no time was left'}")


def _seconds_to_fit(problem: Problem, search: Search, trial: Trial) -> float:
    """Return how long the last fit takes, as long as those of a fold took."""
    seconds = {t.members[0][0].key: t.seconds for t in search.completed if len(t.members) == 1}
    return sum(seconds[own.key] for own, _ in trial.members) / problem.folds.count


def _explain(delivered: Trial, workers: Workers, out: Path, timing: _Timing) -> str:
    """Write `out/explanation`; return what a reader should know if it is not whole."""
    left = timing.last - time.monotonic()
    if left < _LEAST_TO_EXPLAIN:
        return "; no time was left to explain it"
    seconds = max(0.0, min(_EXPLAINING, timing.whole - time.monotonic()))
    task = Explanation(
        delivered.members, delivered.predictions, out / "model", out / "explanation", seconds
    )
    workers.give(task, delivered, math.inf, timing.last)
    (answer,) = workers.answers()
    if answer.status == "Completed":
        return ""
    return f"; its explanation is not whole: {answer.value}"


def _replace(new: Path, place: Path) -> None:
    import shutil

    shutil.rmtree(place, ignore_errors=True)
    new.replace(place)


def _facts(problem: Problem, trial: Trial) -> dict[str, str]:
    """Return what the model says of itself."""
    settings = problem.request.forecasting
    assert settings is not None
    return {
        "task": "forecasting",
        "target": problem.request.target_column_name,
        "estimator": trial.algorithm,
        "time_column_name": settings.time_column_name,
        "frequency": problem.frequency,
        "forecast_horizon": str(problem.folds.horizon),
    }


def _finish(
    events: Events,
    out: Path,
    problem: Problem,
    search: Search,
    stop: Stop,
    delivered: Trial,
    chosen: Trial,
    reason: str,
    tested: dict[str, float],
) -> None:
    """Write the leaderboard and what the forecasts were, and tell the end."""
    leaders = [
        {
            "trial": trial.number,
            "algorithm": trial.algorithm,
            "hyperparameters": trial.config,
            "score": trial.score,
            "seconds": round(trial.seconds, 3),
            "status": trial.status,
        }
        for trial in [*search.completed, *(t for t in search.trials if t.score is None)]
    ]
    write_json(out / "leaderboard.json", leaders)
    write_json(out / "featurization.json", _featurization(problem))
    if delivered is not chosen:
        reason = f"trial {chosen.number} could not be fitted to all rows in time; {reason}"
    events.tell(Finished(delivered.number, stop, reason, delivered.metrics, tested))
