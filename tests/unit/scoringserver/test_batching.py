from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scoringserver.batching import Batcher, Job, reason
from scoringserver.body import Body, Form
from scoringserver.columns import Column, ColumnSchema
from scoringserver.errors import PredictionError, RequestError, ScoringError
from scoringserver.part import Part

SCHEMA = ColumnSchema([Column("x", "double")])


@dataclass
class FakeModel:
    """Doubles x. It waits at its first call, so that requests gather meanwhile."""

    answer: Callable[[pd.DataFrame], Any] = lambda frame: (2 * frame["x"]).to_numpy()
    is_rowwise: bool = True
    schema: Any = SCHEMA
    calls: list[list[float]] = field(default_factory=list)
    params: list[Any] = field(default_factory=list)
    may_go: threading.Event = field(default_factory=threading.Event)

    def predict(self, data: Any, params: dict[str, Any] | None) -> Any:
        self.calls.append(list(data["x"]))
        self.params.append(params)
        assert self.may_go.wait(30)
        return self.answer(data)


def part(*values: Any) -> Part:
    return SCHEMA.read(Body(Form.INPUT_DATA, {"x": list(values)}))


def outcomes(
    model: FakeModel,
    parts: Sequence[Part],
    params: Sequence[Any] = (),
    **options: Any,
) -> list[Any]:
    """Return the answers or errors of requests of which all but the first wait for it."""

    async def run() -> list[Any]:
        batcher = Batcher(model, **options)
        batcher.start()
        jobs = [
            Job(each, given, json.dumps(given), False, asyncio.get_running_loop().create_future())
            for each, given in zip(parts, params or [None] * len(parts), strict=True)
        ]
        batcher.submit(jobs[0])
        while not model.calls:
            await asyncio.sleep(0.001)
        for job in jobs[1:]:
            batcher.submit(job)
        model.may_go.set()
        found = await asyncio.gather(*(job.answer for job in jobs), return_exceptions=True)
        await asyncio.to_thread(batcher.stop)
        return [json.loads(each) if isinstance(each, bytes) else each for each in found]

    return asyncio.run(run())


def test_what_waits_is_predicted_by_one_call() -> None:
    model = FakeModel()
    assert outcomes(model, [part(1), part(2), part(3, 4), part(5)]) == [[2], [4], [6, 8], [10]]
    assert model.calls == [[1], [2, 3, 4, 5]]


def test_a_batch_has_no_more_rows_than_allowed() -> None:
    model = FakeModel()
    parts = [part(0), part(1, 2), part(3, 4), part(5), part(*range(10, 20)), part(6)]
    found = outcomes(model, parts, batch_rows=3)
    assert found[4] == [2 * each for each in range(10, 20)]
    assert model.calls == [[0], [1, 2, 5], [3, 4, 6], list(range(10, 20))]


def test_batches_may_be_turned_off() -> None:
    model = FakeModel()
    outcomes(model, [part(1), part(2), part(3)], batch_rows=1)
    assert model.calls == [[1], [2], [3]]


def test_a_model_that_is_not_rowwise_gets_one_request_at_a_time() -> None:
    model = FakeModel(answer=lambda frame: frame["x"].rank().to_numpy(), is_rowwise=False)
    assert outcomes(model, [part(5), part(7, 6), part(1)]) == [[1], [2, 1], [1]]


def test_only_equal_parameters_go_together() -> None:
    model = FakeModel()
    outcomes(model, [part(0), part(1), part(2), part(3)], [None, {"a": 1}, {"a": 2}, {"a": 1}])
    assert model.calls == [[0], [1, 3], [2]]
    assert model.params == [None, {"a": 1}, {"a": 2}]


def test_only_equal_forms_go_together() -> None:
    alone = Part(1, part(2).content, None)
    other = Part(1, part(3).content, "other")
    model = FakeModel()
    assert outcomes(model, [part(0), part(1), alone, other, part(4)]) == [[0], [2], [4], [6], [8]]
    assert model.calls == [[0], [1, 4], [2], [3]]


def test_rows_that_do_not_fit_harm_nobody_else() -> None:
    model = FakeModel()
    found = outcomes(model, [part(0), part(1), part("a"), part(2), part(True)])
    assert [*found[:2], found[3]] == [[0], [2], [4]]
    assert [type(each) for each in (found[2], found[4])] == [RequestError, RequestError]
    assert "column 'x', row 0: the text" in found[2].message
    # The right ones are still one batch.
    assert model.calls == [[0], [1, 2]]


def test_rows_that_the_model_refuses_harm_nobody_else() -> None:
    def answer(frame: pd.DataFrame) -> Any:
        if (frame["x"] < 0).any():
            raise ArithmeticError("no root\n  of a negative")
        return np.sqrt(frame["x"]).to_numpy()

    model = FakeModel(answer)
    found = outcomes(model, [part(0), *(part(each) for each in (1, 4, -1, 9, 16, 25, 36, 49))])
    assert [each for each in found if isinstance(each, list)] == [
        [0],
        [1],
        [2],
        [3],
        [4],
        [5],
        [6],
        [7],
    ]
    assert isinstance(found[3], PredictionError)
    assert found[3].message == "the model raised ArithmeticError: no root of a negative"
    # Halves are tried, not all requests by themselves.
    assert len(model.calls) < 1 + 8


@pytest.mark.parametrize(
    "answer",
    [
        lambda frame: np.array([frame["x"].sum()]),
        lambda frame: float(frame["x"].sum()),
        lambda frame: {"sum": float(frame["x"].sum())},
    ],
)
def test_a_model_whose_answers_do_not_line_up_gets_no_more_batches(
    answer: Callable[[pd.DataFrame], Any],
) -> None:
    model = FakeModel(answer)
    found = outcomes(model, [part(1), part(2, 3), part(4)])
    assert found == [
        json.loads(json.dumps(answer_of(answer, *each))) for each in ([1], [2, 3], [4])
    ]
    assert model.calls[1:] == [[2, 3, 4], [2, 3], [4]]


def answer_of(answer: Callable[[pd.DataFrame], Any], *values: float) -> Any:
    given = answer(pd.DataFrame({"x": [float(each) for each in values]}))
    return given.tolist() if isinstance(given, np.ndarray) else given


def test_an_answer_that_json_cannot_hold_is_that_requests_own_failure() -> None:
    texts = {1.0: "right", 2.0: "\ud800", 3.0: "also right"}
    model = FakeModel(lambda frame: [texts[each] for each in frame["x"]])
    found = outcomes(model, [part(1), part(1), part(2), part(3)])
    assert [found[0], found[1], found[3]] == [["right"], ["right"], ["also right"]]
    assert isinstance(found[2], PredictionError)


def test_a_model_that_exits_does_not_end_the_server() -> None:
    def answer(frame: pd.DataFrame) -> Any:
        raise SystemExit(3)

    found = outcomes(FakeModel(answer), [part(1), part(2)])
    assert [each.message for each in found] == ["the model raised SystemExit: 3"] * 2


def test_a_model_may_say_that_the_request_is_wrong() -> None:
    def answer(frame: pd.DataFrame) -> Any:
        raise RequestError("not so")

    found = outcomes(FakeModel(answer), [part(1)])
    assert isinstance(found[0], RequestError)


def test_a_defect_of_the_schema_leaves_nobody_waiting() -> None:
    class Broken:
        def assemble(self, parts: Sequence[Part]) -> Any:
            if len(parts) > 1 or parts[0].content is None:
                raise RuntimeError("a defect")
            return SCHEMA.assemble(parts)

    found = outcomes(FakeModel(schema=Broken()), [part(1), Part(1, None, None), part(2)])
    assert found[0] == [2]
    assert found[2] == [4]
    assert isinstance(found[1], ScoringError)


def test_parts_that_are_right_but_not_together_go_alone() -> None:
    schema = ColumnSchema([Column("x", "datetime")])
    model = FakeModel(lambda frame: [str(each) for each in frame["x"].dt.year], schema=schema)
    parts = [schema.read(Body(Form.INPUTS, {"x": [value]})) for value in ("2001", "2002-01-01", 0)]
    assert outcomes(model, parts) == [["2001"], ["2002"], ["1970"]]


def test_a_caller_that_has_gone_is_left_out() -> None:
    async def run() -> list[list[float]]:
        model = FakeModel()
        model.may_go.set()
        batcher = Batcher(model)
        loop = asyncio.get_running_loop()
        jobs = [Job(part(each), None, "", False, loop.create_future()) for each in (1, 2)]
        jobs[0].answer.cancel()
        for job in jobs:
            batcher.submit(job)
        batcher.start()
        assert await jobs[1].answer == b"[4.0]"
        await asyncio.to_thread(batcher.stop)
        return model.calls

    assert asyncio.run(run()) == [[2]]


def test_the_model_is_called_in_the_surroundings_given() -> None:
    from contextlib import contextmanager

    inside: list[str] = []

    @contextmanager
    def surroundings() -> Any:
        inside.append(threading.current_thread().name)
        yield

    outcomes(FakeModel(), [part(1)], surroundings=surroundings)
    assert inside == ["model"]


def test_reasons_are_short_and_of_one_line() -> None:
    assert reason(ValueError("a\n b")) == "ValueError: a b"
    assert reason(KeyError()) == "KeyError"
    assert len(reason(ValueError("x" * 1000))) == 300


def test_callers_that_ask_again_at_once_stay_in_one_batch() -> None:
    async def run() -> list[list[float]]:
        model = FakeModel()
        batcher = Batcher(model)
        batcher.start()
        loop = asyncio.get_running_loop()

        async def ask(value: float, times: int) -> None:
            for _ in range(times):
                job = Job(part(value), None, "", False, loop.create_future())
                batcher.submit(job)
                await job.answer

        first = asyncio.create_task(ask(0, 3))
        while not model.calls:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(ask(value, 2)) for value in (1, 2)]
        await asyncio.sleep(0.05)  # a call this long leaves them time to gather
        model.may_go.set()
        await asyncio.gather(first, *others)
        await asyncio.to_thread(batcher.stop)
        return model.calls

    calls = asyncio.run(run())
    assert [sorted(call) for call in calls[:2]] == [[0], [0, 1, 2]]
    assert sum(map(len, calls)) == 7


def test_callers_that_come_back_one_after_the_other_are_waited_for() -> None:
    async def run() -> list[list[float]]:
        model = FakeModel(answer=lambda frame: (time.sleep(0.1), 2 * frame["x"].to_numpy())[1])
        model.may_go.set()
        batcher = Batcher(model)
        batcher.start()
        loop = asyncio.get_running_loop()

        async def ask(value: float, pause: float, times: int) -> None:
            for _ in range(times):
                job = Job(part(value), None, "", False, loop.create_future())
                batcher.submit(job)
                await job.answer
                await asyncio.sleep(pause)

        await asyncio.gather(ask(1, 0, 6), ask(2, 0.004, 5))
        await asyncio.to_thread(batcher.stop)
        return model.calls

    calls = asyncio.run(run())
    # Both begin together; the last question of the first has no other that it could wait for.
    assert [sorted(call) for call in calls] == [[1, 2]] * 5 + [[1]]
