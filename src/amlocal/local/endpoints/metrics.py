"""What a router says that its deployments have done, from the text of its `/metrics`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from amlocal.plan import DeploymentMetrics

_REQUESTS = "amlocal_requests_total"
_LATENCY = "amlocal_request_seconds_bucket"
_AGREEMENT = "amlocal_mirror_agreement_total"


@dataclass
class _Counts:
    requests: dict[str, int] = field(default_factory=dict)
    mirrored: dict[str, int] = field(default_factory=dict)
    latency: dict[str, int] = field(default_factory=dict)
    mirrored_latency: dict[str, int] = field(default_factory=dict)
    agreement: dict[str, int] = field(default_factory=dict)


def parse_metrics(text: str, deployments: Iterable[str]) -> Mapping[str, DeploymentMetrics]:
    """Return the metrics of deployments; one that has had no request has all zeros.

    Args:
        text: In Prometheus' format.
        deployments: The deployments to tell of.
    """
    # 60 ms that only looking at metrics pays
    from prometheus_client.parser import text_string_to_metric_families

    counts = {name: _Counts() for name in deployments}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found = counts.get(sample.labels.get("deployment", ""))
            if found is not None:
                _count(found, sample.name, sample.labels, int(sample.value))
    return {
        name: DeploymentMetrics(
            requests=found.requests,
            mirrored=found.mirrored,
            latency=found.latency,
            mirrored_latency=found.mirrored_latency,
            agreed=found.agreement.get("yes", 0),
            disagreed=found.agreement.get("no", 0),
        )
        for name, found in counts.items()
    }


def _count(counts: _Counts, name: str, labels: Mapping[str, str], value: int) -> None:
    is_mirrored = labels.get("mirrored") in {"true", "yes", "1"}
    if name == _REQUESTS:
        target = counts.mirrored if is_mirrored else counts.requests
        target[labels["status"]] = target.get(labels["status"], 0) + value
    elif name == _LATENCY:
        target = counts.mirrored_latency if is_mirrored else counts.latency
        target[labels["le"]] = target.get(labels["le"], 0) + value
    elif name == _AGREEMENT:
        counts.agreement[labels["agreed"]] = value
