from __future__ import annotations

from amlocal.local.endpoints.metrics import parse_metrics
from amlocal.plan import DeploymentMetrics

TEXT = """\
# TYPE amlocal_requests_total counter
amlocal_requests_total{deployment="blue",status="200",mirrored="no"} 7
amlocal_requests_total{deployment="blue",status="424",mirrored="no"} 1
amlocal_requests_total{deployment="green",status="200",mirrored="yes"} 3
# TYPE amlocal_request_seconds histogram
amlocal_request_seconds_bucket{deployment="blue",mirrored="no",le="0.001"} 2
amlocal_request_seconds_bucket{deployment="blue",mirrored="no",le="+Inf"} 8
amlocal_request_seconds_bucket{deployment="green",mirrored="yes",le="+Inf"} 3
# TYPE amlocal_mirror_agreement_total counter
amlocal_mirror_agreement_total{deployment="green",agreed="yes"} 2
amlocal_mirror_agreement_total{deployment="green",agreed="no"} 1
# TYPE amlocal_in_flight gauge
amlocal_in_flight{deployment="blue"} 4
amlocal_requests_total{deployment="gone",status="200",mirrored="no"} 9
"""


def test_what_deployments_have_done_is_read_from_the_text() -> None:
    assert parse_metrics(TEXT, ["blue", "green", "new"]) == {
        "blue": DeploymentMetrics(requests={"200": 7, "424": 1}, latency={"0.001": 2, "+Inf": 8}),
        "green": DeploymentMetrics(
            mirrored={"200": 3}, mirrored_latency={"+Inf": 3}, agreed=2, disagreed=1
        ),
        "new": DeploymentMetrics(),
    }
