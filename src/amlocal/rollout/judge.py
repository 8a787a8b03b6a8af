"""Judges a stage: what the new deployment did against the limits, and against the old one.

A rule is breached only where the figure is beyond its limit by more than the noise: the end of its
one-sided confidence interval nearest to the limit is beyond it, too (`statistics`).

A stage is looked at many times, and each look is a chance to be wrong. So looks before its end take
a confidence of 0.999 (the Haybittle-Peto rule of clinical trials), and only the last one takes the
policy's, which thus stays nearly what it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from amlocal.plan import (
    AgreementRule,
    DeploymentMetrics,
    ErrorRule,
    LatencyRule,
    RolloutPolicy,
    RolloutStage,
    StageOutcome,
    Verdict,
)
from amlocal.rollout.statistics import (
    Estimate,
    deviations,
    least_difference,
    least_ratio,
    needed_for_quantile,
    quantile,
    rate,
)
from amlocal.rollout.windows import plus

#: Of the looks before a stage's end.
EARLY_CONFIDENCE = 0.999

#: Statuses of a deployment that did not do its part: timeouts, a model's errors, too many requests.
#: Others below 500 are the caller's (401, 404, 413) and say nothing of it.
_FAILED = frozenset({"408", "424", "429"})


def early(policy: RolloutPolicy) -> float:
    """Return the confidence of the looks before a stage's end."""
    return max(policy.confidence, EARLY_CONFIDENCE)


def judge(
    policy: RolloutPolicy,
    new: DeploymentMetrics,
    old: DeploymentMetrics,
    *,
    confidence: float,
    with_agreement: bool,
) -> tuple[Verdict, ...]:
    """Judge what two deployments did in the same time.

    Args:
        policy: The rules.
        new: What the new deployment did: its live requests, mirrored ones, and probes.
        old: What the old one did with live requests and probes.
        confidence: How sure a breach must be.
        with_agreement: Whether answers are compared in this stage.

    Returns:
        A verdict of each rule.
    """
    return tuple(_verdicts(policy, new, old, deviations(confidence), with_agreement))


def outcome_of(
    policy: RolloutPolicy,
    stage: RolloutStage,
    *,
    seconds: float,
    requests: int,
    verdicts: Sequence[Verdict],
    early_verdicts: Sequence[Verdict],
) -> StageOutcome | None:
    """Return what becomes of a stage at a look, or None while it goes on.

    Args:
        policy: What is done with too few requests.
        stage: How long it lasts, in time and in requests.
        seconds: How long it has lasted.
        requests: Requests of the new deployment in it.
        verdicts: By the policy's confidence, which counts at the end.
        early_verdicts: By the confidence of the looks before it.
    """
    if any(verdict.outcome == "breached" for verdict in early_verdicts):
        return "breached"
    is_enough = requests >= stage.minimum_requests and all(
        verdict.outcome != "unclear" for verdict in verdicts
    )
    is_over = seconds >= max(stage.duration, 0.0 if is_enough else stage.timeout)
    if not is_over or not (is_enough or policy.on_insufficient != "wait"):
        return None
    if any(verdict.outcome == "breached" for verdict in verdicts):
        return "breached"
    if is_enough:
        return "passed"
    return "proceeded" if policy.on_insufficient == "proceed" else "insufficient"


def requests_of(counts: DeploymentMetrics) -> int:
    """Return how many requests a deployment had that tell something of it."""
    return sum(_outcomes(counts))


def _verdicts(
    policy: RolloutPolicy,
    new: DeploymentMetrics,
    old: DeploymentMetrics,
    z: float,
    with_agreement: bool,
) -> Iterator[Verdict]:
    rule = policy.errors or ErrorRule()
    if rule.maximum is not None:
        yield _error_rate(rule.maximum, new, z)
    if rule.maximum_increase is not None:
        yield _error_increase(rule.maximum_increase, new, old, z)
    for latency in policy.latencies:
        yield _latency(latency, new, old, z)
    if policy.agreement is not None and with_agreement:
        yield _agreement(policy.agreement, new, z)


def _outcomes(counts: DeploymentMetrics) -> tuple[int, int]:
    """Return how many requests were answered, and how many failed."""
    answered = failed = 0
    for statuses in (counts.requests, counts.mirrored):
        for status, count in statuses.items():
            if status in _FAILED or not status.isdigit() or int(status) >= 500:
                failed += count
            elif int(status) < 400:
                answered += count
    return answered, failed


def _error_rate(limit: float, new: DeploymentMetrics, z: float) -> Verdict:
    answered, failed = _outcomes(new)
    requests = answered + failed
    if not requests:
        return Verdict(rule="error rate", outcome="unclear", limit=limit, reason="no requests")
    found = rate(failed, requests, z)
    return Verdict(
        rule="error rate",
        outcome="breached" if found.low > limit else "passed",
        limit=limit,
        value=found.value,
        bound=found.low,
        requests=requests,
        reason=f"{failed} of {requests} requests failed: {found.value:.2%}, at least "
        f"{found.low:.2%}; the limit is {limit:.2%}",
    )


def _error_increase(
    limit: float, new: DeploymentMetrics, old: DeploymentMetrics, z: float
) -> Verdict:
    rule = "error rate over the old one's"
    (well, failed), (old_well, old_failed) = _outcomes(new), _outcomes(old)
    requests, old_requests = well + failed, old_well + old_failed
    if not requests or not old_requests:
        lacking = "new" if not requests else "old"
        reason = f"no requests of the {lacking} deployment"
        return Verdict(rule=rule, outcome="unclear", limit=limit, reason=reason)
    found, before = rate(failed, requests, z), rate(old_failed, old_requests, z)
    least = least_difference(found, before)
    return Verdict(
        rule=rule,
        outcome="breached" if least > limit else "passed",
        limit=limit,
        value=found.value,
        reference=before.value,
        bound=least,
        requests=requests,
        reference_requests=old_requests,
        reason=f"{found.value:.2%} of {requests} requests failed, of the old one's {old_requests} "
        f"{before.value:.2%}: at least {least:+.2%}; the limit is {limit:+.2%}",
    )


def _latency(
    rule: LatencyRule, new: DeploymentMetrics, old: DeploymentMetrics, z: float
) -> Verdict:
    name, q = f"p{rule.percentile:g} latency", rule.percentile / 100
    needed = max(rule.minimum_requests, needed_for_quantile(q, z))
    sizes = {}
    estimates: dict[str, Estimate | None] = {}
    for which, counts in (("new", new), ("old", old)):
        histogram = plus(counts.latency, counts.mirrored_latency)
        sizes[which] = max(histogram.values(), default=0)
        estimates[which] = quantile(histogram, q, z) if sizes[which] >= needed else None
    found, before = estimates["new"], estimates["old"]
    if found is None or before is None:
        which = "new" if found is None else "old"
        reason = f"{sizes[which]} requests of the {which} deployment; {needed} are needed"
        if sizes[which] >= needed:
            reason = f"the {which} deployment's is longer than what is measured"
        return Verdict(
            rule=name,
            outcome="unclear",
            limit=rule.maximum_ratio,
            requests=sizes["new"],
            reference_requests=sizes["old"],
            reason=reason,
        )
    least = least_ratio(found, before)
    return Verdict(
        rule=name,
        outcome="breached" if least > rule.maximum_ratio else "passed",
        limit=rule.maximum_ratio,
        value=found.value,
        reference=before.value,
        bound=least,
        requests=sizes["new"],
        reference_requests=sizes["old"],
        reason=f"{_ms(found.value)} of {sizes['new']} requests, the old one's {_ms(before.value)} "
        f"of {sizes['old']}: at least {least:.2f} times; the limit is {rule.maximum_ratio:g} times",
    )


def _agreement(rule: AgreementRule, new: DeploymentMetrics, z: float) -> Verdict:
    compared = new.agreed + new.disagreed
    if not compared:
        reason = "no answers were compared"
        return Verdict(rule="agreement", outcome="unclear", limit=rule.minimum, reason=reason)
    found = rate(new.agreed, compared, z)
    return Verdict(
        rule="agreement",
        outcome="breached" if found.high < rule.minimum else "passed",
        limit=rule.minimum,
        value=found.value,
        bound=found.high,
        requests=compared,
        reason=f"{new.agreed} of {compared} answers were the same: {found.value:.2%}, at most "
        f"{found.high:.2%}; the limit is {rule.minimum:.2%}",
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
