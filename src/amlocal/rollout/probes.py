"""Requests that a rollout sends itself: one file, to the old and to the new deployment in turns."""

from __future__ import annotations

import itertools
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from types import TracebackType

from amlocal.endpoint_operations import OnlineEndpointOperations
from amlocal.errors import TargetError
from amlocal.plan import Answer, DeploymentMetrics, ReplayedRequests, RolloutStage, agreement

#: Seconds: from a millisecond to beyond the longest that Azure lets a request take, each a tenth
#: above the one before.
BOUNDS = tuple(round(0.001 * 1.1**k, 9) for k in range(128))
#: What stands for the status of a request that got no answer.
UNANSWERED = "unanswered"


class Probes:
    """Sends requests while it is entered, and counts what becomes of them.

    Each deployment goes first in every other round, so that neither always finds the machine warm.

    Args:
        operations: The online endpoints of the target.
        endpoint_name: The endpoint.
        old: The deployment that serves now.
        new: The deployment that is rolled out.
        requests: What is sent, and how often.
    """

    interval = 1.0
    lag = 0.0
    tells_latency = True

    def __init__(
        self,
        operations: OnlineEndpointOperations,
        endpoint_name: str,
        *,
        old: str,
        new: str,
        requests: ReplayedRequests,
    ) -> None:
        self._operations = operations
        self._endpoint_name = endpoint_name
        self._old, self._new = old, new
        self._requests = requests
        self._statuses: dict[str, Counter[str]] = {old: Counter(), new: Counter()}
        self._buckets: dict[str, Counter[int]] = {old: Counter(), new: Counter()}
        self._agreements: Counter[bool] = Counter()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._send_all, name="probes", daemon=True)

    def __enter__(self) -> Probes:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def compares(self, stage: RolloutStage) -> bool:  # noqa: ARG002 - they do in each
        """Whether answers are compared: in every stage."""
        return True

    def read(self) -> Mapping[str, DeploymentMetrics]:
        """Return what became of the requests so far.

        Raises:
            TargetError: They cannot be sent at all.
        """
        if self._failure is not None:
            raise TargetError(f"the probes have ended: {self._failure}") from self._failure
        with self._lock:
            return {name: self._counts(name) for name in (self._old, self._new)}

    def _counts(self, name: str) -> DeploymentMetrics:
        is_new = name == self._new
        return DeploymentMetrics(
            requests=dict(self._statuses[name]),
            latency=_cumulative(self._buckets[name]),
            agreed=self._agreements[True] if is_new else 0,
            disagreed=self._agreements[False] if is_new else 0,
        )

    def _send_all(self) -> None:
        try:
            for number in itertools.count():
                began = time.monotonic()
                self._round(number)
                rest = 1 / self._requests.rate - (time.monotonic() - began)
                if self._stopping.wait(max(rest, 0)):
                    return
        except Exception as error:  # noqa: BLE001 - told by the next `read`, in the main thread
            self._failure = error

    def _round(self, number: int) -> None:
        order = (self._old, self._new) if number % 2 else (self._new, self._old)
        answers = {name: self._send(name) for name in order}
        same = agree(answers[self._old], answers[self._new])
        if same is not None:
            with self._lock:
                self._agreements[same] += 1

    def _send(self, name: str) -> Answer | None:
        began = time.perf_counter()
        try:
            answer = self._operations.invoke(
                self._endpoint_name,
                request_file=self._requests.request_file,
                deployment_name=name,
            )
        except TargetError:
            with self._lock:
                self._statuses[name][UNANSWERED] += 1
            return None
        seconds = time.perf_counter() - began
        with self._lock:
            self._statuses[name][str(answer.status)] += 1
            self._buckets[name][bisect_left(BOUNDS, seconds)] += 1
        return answer


def agree(old: Answer | None, new: Answer | None) -> bool | None:
    """Return whether two answers say the same; None where the old one says nothing."""
    if old is None or old.status >= 400:
        return None
    if new is None:
        return False
    return agreement.agree(old.status, old.body.encode(), new.status, new.body.encode())


def _cumulative(buckets: Mapping[int, int]) -> dict[str, int]:
    counts = itertools.accumulate(buckets.get(index, 0) for index in range(len(BOUNDS) + 1))
    return dict(zip([*map(repr, BOUNDS), "+Inf"], counts, strict=True))
