from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from tests.lab import step

from amlocal.local.bind import BoundInput
from amlocal.local.fingerprint import Facts, changes, encode, fingerprint, step_facts
from amlocal.plan import Distribution, Input, LiteralValue, Output, Step

STEP = step(
    "train",
    "python train.py ${{inputs.rate}}",
    inputs={"rate": LiteralValue(value=0.1)},
    outputs={"model": Output(type="mlflow_model")},
    variables={"TOKEN": "hunter2"},
)
INPUTS = {
    "rate": BoundInput("number", "0.1", literal=0.1),
    "data": BoundInput("uri_file", "/a/data.csv", digest="1234567890", mode="ro_mount"),
}
CODE = {"train.py": "aaaaaaaaaaaa"}


def facts_of(step: Step = STEP, **changed: Any) -> Facts:
    given = {"code": CODE, "environment": "environment-digest", "inputs": INPUTS, **changed}
    return step_facts(step, **given)


def with_component(**fields: Any) -> Step:
    return msgspec.structs.replace(
        STEP, component=msgspec.structs.replace(STEP.component, **fields)
    )


def test_equal_facts_have_one_fingerprint() -> None:
    assert fingerprint(encode(facts_of())) == fingerprint(encode(facts_of(code=dict(CODE))))


def test_the_place_of_the_data_does_not_count() -> None:
    moved = {
        **INPUTS,
        "data": BoundInput("uri_file", "/b/x.csv", digest="1234567890", mode="ro_mount"),
    }
    assert encode(facts_of(inputs=moved)) == encode(facts_of())


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"code": {"train.py": "bbbbbbbbbbbb"}}, "code train.py: aaaaaaaa -> bbbbbbbb"),
        ({"code": {**CODE, "new.py": "cc"}}, "code new.py: absent -> cc"),
        ({"environment": "other"}, "environment: environm -> other"),
        (
            {"inputs": {**INPUTS, "rate": BoundInput("number", "0.2", literal=0.2)}},
            "inputs.rate.value: 0.1 -> 0.2",
        ),
        (
            {"inputs": {"rate": INPUTS["rate"]}},
            "inputs.data.content: 12345678 -> absent",
        ),
    ],
)
def test_a_change_is_told(changed: dict[str, Any], told: str) -> None:
    assert told in changes(facts_of(), facts_of(**changed))


@pytest.mark.parametrize(
    ("changed", "fact"),
    [
        (with_component(command="python other.py"), "component.command"),
        (with_component(version="2"), "component.version"),
        (with_component(inputs={"rate": Input(type="string")}), "component.inputs.rate.type"),
        (with_component(distribution=Distribution(type="mpi")), "component.distribution.type"),
        (with_component(instance_count=2), "component.instance_count"),
        (
            msgspec.structs.replace(STEP, outputs={"model": Output(mode="upload")}),
            "outputs.model.mode",
        ),
        (
            msgspec.structs.replace(STEP, environment_variables={"TOKEN": "other"}),
            "environment_variables.TOKEN",
        ),
    ],
)
def test_every_part_of_a_step_counts(changed: Step, fact: str) -> None:
    told = changes(facts_of(), facts_of(changed))
    assert any(line.startswith(f"{fact}: ") for line in told), told


def test_what_does_not_decide_the_result_does_not_count() -> None:
    same = msgspec.structs.replace(
        STEP, display_name="Train", tags={"a": "b"}, timeout=5.0, compute="azureml:gpu"
    )
    assert changes(facts_of(), facts_of(same)) == []


def test_secrets_are_not_in_the_facts() -> None:
    address = "https://x.blob.core.windows.net/c/d.csv?sig=hunter3"
    inputs = {"data": BoundInput("uri_file", address, mode="direct")}
    encoded = encode(facts_of(inputs=inputs))
    assert "hunter" not in encoded
    other = {"data": BoundInput("uri_file", address.replace("d.csv", "e.csv"), mode="direct")}
    assert encode(facts_of(inputs=other)) != encoded


def test_facts_are_json() -> None:
    assert json.loads(encode(facts_of())) == facts_of()
