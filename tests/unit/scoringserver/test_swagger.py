from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
from mlflow.models import ModelSignature
from mlflow.types import ParamSchema, ParamSpec
from mlflow.types.schema import ColSpec, DataType, Schema

from scoringserver.model import Model, load_model
from scoringserver.parameters import Parameters
from scoringserver.swagger import VERSIONS, swagger


@pytest.fixture(scope="module")
def people(people_model: Path) -> Model:
    return load_model(people_model)


def bare(signature: ModelSignature | None) -> Model:
    """Return a model of which only the signature is known."""
    return Model(
        schema=None,  # type: ignore[arg-type]
        parameters=Parameters(None),
        call=lambda data, params: data,
        is_rowwise=False,
        example=None,
        signature=signature.to_dict() if signature else None,
        flavor="mlflow.pyfunc",
    )


SIGNATURES = {
    "none": None,
    "unnamed": ModelSignature(Schema([ColSpec(DataType.double)])),
    "parameters": ModelSignature(
        Schema([ColSpec(kind, kind.name) for kind in DataType]),
        Schema([ColSpec(DataType.double, "low"), ColSpec(DataType.double, "high")]),
        ParamSchema(
            [
                ParamSpec("top", DataType.long, 3),
                ParamSpec("names", DataType.string, ["a"], shape=(-1,)),
            ]
        ),
    ),
}


def schema_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    schemas = document.get("definitions") or document["components"]["schemas"]
    return dict(schemas[name])


@pytest.mark.parametrize("version", sorted(set(VERSIONS.values())))
@pytest.mark.parametrize("name", [*SIGNATURES, "people"])
def test_documents_are_valid(name: str, version: str, people: Model) -> None:
    model = people if name == "people" else bare(SIGNATURES[name])
    schemathesis.openapi.from_dict(swagger(model, version)).validate()


@pytest.mark.parametrize("version", ["2.0", "3.0.3"])
def test_operations_are_those_of_azure(people: Model, version: str) -> None:
    paths = swagger(people, version)["paths"]
    assert {
        path: each["operationId"] for path, methods in paths.items() for each in methods.values()
    } == {
        "/": "ServiceHealthCheck",
        "/score": "RunMLService",
        "/swagger.json": "GetSwaggerSpec",
    }
    assert paths["/score"]["post"]["security"] == [{"Bearer": []}]


def test_the_input_is_that_of_the_signature(people: Model) -> None:
    schema = schema_of(swagger(people, "3.0.3"), "ServiceInput")
    columns = schema["properties"]["input_data"]["properties"]["columns"]
    assert columns["example"] == ["age", "job", "children"]
    assert "job (string)" in columns["description"]
    jsonschema.validate(schema["example"], schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"input_data": {"columns": ["age"], "data": []}}, schema)


def test_the_example_is_one_that_the_model_takes(people: Model) -> None:
    example = schema_of(swagger(people, "2.0"), "ServiceInput")["example"]
    assert len(example["input_data"]["data"]) == 5


def test_tensors_are_nested_arrays(digits_model: Path) -> None:
    document = swagger(load_model(digits_model), "3.0.3")
    double = {"type": "number", "format": "double"}
    nested = {"type": "array", "items": {"type": "array", "items": double}}
    assert schema_of(document, "ServiceInput")["properties"]["input_data"] == nested
    assert schema_of(document, "ServiceOutput") == nested


def test_parameters_and_named_outputs() -> None:
    document = swagger(bare(SIGNATURES["parameters"]), "2.0")
    params = schema_of(document, "ServiceInput")["properties"]["params"]["properties"]
    assert params["top"] == {"type": "integer", "format": "int64", "default": 3}
    assert params["names"]["default"] == ["a"]
    output = schema_of(document, "ServiceOutput")["items"]["properties"]
    assert set(output) == {"low", "high"}
