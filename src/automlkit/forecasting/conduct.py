"""One forecasting search, from its request to its model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from automlkit.events import Events, Finished, Setup
from automlkit.forecasting.panel import Guardrail, guardrail
from automlkit.forecasting.portfolio import candidates, choose, find_cheapest
from automlkit.forecasting.problem import Problem, make_problem
from automlkit.forecasting.results import Results, Timing
from automlkit.forecasting.search import Search, Stop, Trial
from automlkit.forecasting.state import State
from automlkit.pool import Pool
from automlkit.request import Request
from automlkit.search.budget import Budget
from automlkit.worker import Starter
from stepkit.program import StepError, write_json

#: Azure's primary metrics of forecasts.
PRIMARY_METRICS = (
    "normalized_root_mean_squared_error",
    "normalized_mean_absolute_error",
    "r2_score",
    "spearman_correlation",
)


def conduct(request: Request, out: Path, events: Events, budget: Budget, starter: Starter) -> None:
    """Search, choose, and write everything.

    Raises:
        SearchError: No model came out.
        StepError: The request or its data is wrong.
    """
    algorithms, rows = choose(request)
    problem, guardrails = make_problem(request)
    _check_metric(request)
    events.tell(_setup(problem, [*guardrails, *rows, *_explainability(problem)]))
    timing = Timing.of(budget)
    count, threads = _shared(request)
    pool = Pool(starter, count, problem, out / "trials.log")
    try:
        state = State(out / "state", problem)
        search = Search(problem, events, state, pool, threads, timing.searching, timing.whole)
        cheapest = find_cheapest(problem, algorithms)
        stop = search.run(candidates(problem, algorithms), cheapest)
        chosen, reason = search.vote()
        results = Results(problem, search, pool, threads, out, timing)
        delivered, tested = results.deliver(chosen)
        if request.training.enable_model_explainability:
            reason += results.explain(delivered)
    finally:
        pool.close()
    _finish(events, out, problem, search, stop, delivered, chosen, reason, tested)


def _check_metric(request: Request) -> None:
    if request.primary_metric not in PRIMARY_METRICS:
        raise StepError(
            f"no forecasting metric {request.primary_metric!r}",
            hint=f"one of {', '.join(PRIMARY_METRICS)}",
        )


def _shared(request: Request) -> tuple[int, int]:
    """Return how many workers share the cores, and the threads of each."""
    limits = request.limits
    count = max(1, min(limits.max_concurrent_trials, request.cores, limits.max_trials))
    threads = max(1, request.cores // count)
    if limits.max_cores_per_trial > 0:
        threads = min(threads, limits.max_cores_per_trial)
    return count, threads


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
