"""Describes the server as Azure's inference server does: Swagger 2.0, OpenAPI 3.0 and 3.1.

Operations, names, and the security scheme are Azure's; the input and the output are made from the
model's signature and its input example.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scoringserver.answers import as_json
from scoringserver.body import Body
from scoringserver.model import Model

#: What may be asked for, and what is given.
VERSIONS = {"2": "2.0", "2.0": "2.0", "3": "3.0.3", "3.0": "3.0.3", "3.1": "3.1.0"}

_KINDS: dict[str, dict[str, Any]] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "format": "int32"},
    "long": {"type": "integer", "format": "int64"},
    "float": {"type": "number", "format": "float"},
    "double": {"type": "number", "format": "double"},
    "string": {"type": "string"},
    "binary": {"type": "string", "format": "byte"},
    "datetime": {"type": "string", "format": "date-time"},
}
_ERROR = {"type": "object", "properties": {"message": {"type": "string"}}}
_KEY = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "description": "For example: Bearer abc123",
}
_HEALTH = "Simple health check endpoint to ensure the service is up at any given point."
_RUN = "Run web service's model and get the prediction output"
_PAYLOAD = "The input payload for executing the real-time machine learning service."
_RESULT = "The service processed the input correctly and provided a result prediction."
_FAILED = "The service failed to execute due to an error."
#: What stands before the server (a router, a proxy) says its own errors in plain text.
_ERROR_TEXT = "text/plain"


def swagger(model: Model, version: str) -> dict[str, Any]:
    """Return the description.

    Args:
        model: The model.
        version: One of the values of `VERSIONS`.
    """
    schemas = {
        "ServiceInput": _service_input(model),
        "ServiceOutput": _service_output(model),
        "ErrorResponse": _ERROR,
    }
    info = {
        "title": "ML service",
        "description": f"API specification for a model of {model.flavor}",
        "version": "1.0",
    }
    if version == "2.0":
        return _swagger_2(info, schemas)
    return {
        "openapi": version,
        "info": info,
        "security": [{"Bearer": []}],
        "paths": _paths_3(),
        "components": {"schemas": schemas, "securitySchemes": {"Bearer": _KEY}},
    }


def _swagger_2(info: dict[str, str], schemas: dict[str, Any]) -> dict[str, Any]:
    def answers(description: str, schema: dict[str, Any]) -> dict[str, Any]:
        failed = {"description": _FAILED, "schema": {"$ref": "#/definitions/ErrorResponse"}}
        return {"200": {"description": description, "schema": schema}, "default": failed}

    payload = {
        "name": "serviceInputPayload",
        "in": "body",
        "required": True,
        "description": _PAYLOAD,
        "schema": {"$ref": "#/definitions/ServiceInput"},
    }
    version = {"name": "version", "in": "query", "type": "integer", "enum": [2, 3]}
    return {
        "swagger": "2.0",
        "info": info,
        "schemes": ["http", "https"],
        "consumes": ["application/json"],
        "produces": ["application/json", _ERROR_TEXT],
        "securityDefinitions": {"Bearer": _KEY},
        "paths": {
            "/": {
                "get": {
                    "operationId": "ServiceHealthCheck",
                    "description": _HEALTH,
                    "produces": ["text/plain"],
                    "responses": answers("The service is up.", {"type": "string"}),
                }
            },
            "/score": {
                "post": {
                    "operationId": "RunMLService",
                    "description": _RUN,
                    "security": [{"Bearer": []}],
                    "parameters": [payload],
                    "responses": answers(_RESULT, {"$ref": "#/definitions/ServiceOutput"}),
                }
            },
            "/swagger.json": {
                "get": {
                    "operationId": "GetSwaggerSpec",
                    "description": "Get the Swagger specification.",
                    "parameters": [version],
                    "responses": answers("The Swagger specification.", {"type": "object"}),
                }
            },
        },
        "definitions": schemas,
    }


def _paths_3() -> dict[str, Any]:
    def content(schema: dict[str, Any], kind: str = "application/json") -> dict[str, Any]:
        return {kind: {"schema": schema}}

    def answers(description: str, body: dict[str, Any]) -> dict[str, Any]:
        error = content({"$ref": "#/components/schemas/ErrorResponse"})
        plain = content({"type": "string"}, _ERROR_TEXT)
        return {
            "200": {"description": description, "content": body},
            "default": {"description": _FAILED, "content": {**error, **plain}},
        }

    payload = content({"$ref": "#/components/schemas/ServiceInput"})
    output = content({"$ref": "#/components/schemas/ServiceOutput"})
    version = {
        "name": "version",
        "in": "query",
        "required": False,
        "schema": {"type": "integer", "enum": [2, 3]},
    }
    return {
        "/": {
            "get": {
                "operationId": "ServiceHealthCheck",
                "description": _HEALTH,
                "security": [],
                "responses": answers(
                    "The service is up.", content({"type": "string"}, "text/plain")
                ),
            }
        },
        "/score": {
            "post": {
                "operationId": "RunMLService",
                "description": _RUN,
                "security": [{"Bearer": []}],
                "requestBody": {"description": _PAYLOAD, "required": True, "content": payload},
                "responses": answers(_RESULT, output),
            }
        },
        "/swagger.json": {
            "get": {
                "operationId": "GetSwaggerSpec",
                "description": "Get the Swagger specification.",
                "parameters": [version],
                "responses": answers("The Swagger specification.", content({"type": "object"})),
            }
        },
    }


def _service_input(model: Model) -> dict[str, Any]:
    inputs = (model.signature or {}).get("inputs")
    data = _input_data(_specs(inputs)) if inputs else {"description": "A table or arrays."}
    properties = {"input_data": data}
    if params := (model.signature or {}).get("params"):
        properties["params"] = {
            "type": "object",
            "properties": {each["name"]: _param(each) for each in _specs(params)},
        }
    schema = {"type": "object", "required": ["input_data"], "properties": properties}
    if model.example is not None:
        schema["example"] = _example(model.example)
    return schema


def _input_data(specs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if specs[0]["type"] == "tensor":
        if "name" not in specs[0]:
            return _tensor(specs[0])
        return {
            "type": "object",
            "required": [str(each["name"]) for each in specs],
            "properties": {str(each["name"]): _tensor(each) for each in specs},
        }
    row = {"type": "array", "items": {}, "minItems": 1}
    columns: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
    if all("name" in each for each in specs):
        columns["example"] = [str(each["name"]) for each in specs]
        needed = [f"{each['name']} ({each['type']})" for each in specs]
        columns["description"] = ", ".join(needed)
    return {
        "type": "object",
        "required": ["columns", "data"],
        "properties": {
            "columns": columns,
            "index": {"type": "array", "items": {"type": "integer"}},
            "data": {"type": "array", "items": row, "minItems": 1},
        },
    }


def _service_output(model: Model) -> dict[str, Any]:
    outputs = (model.signature or {}).get("outputs")
    if not outputs:
        return {"description": "What the model predicts."}
    specs = _specs(outputs)
    if specs[0]["type"] == "tensor" and "name" not in specs[0]:
        return _tensor(specs[0])
    if "name" not in specs[0]:
        return {"type": "array", "items": _value(specs[0])}
    properties = {str(each["name"]): _value(each) for each in specs}
    return {"type": "array", "items": {"type": "object", "properties": properties}}


def _specs(text: Any) -> list[dict[str, Any]]:
    import json

    return list(json.loads(text)) if isinstance(text, str) else list(text)


def _value(spec: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_KINDS.get(str(spec["type"]), {}))


def _param(spec: Mapping[str, Any]) -> dict[str, Any]:
    value = _value(spec)
    schema = {"type": "array", "items": value} if spec.get("shape") else value
    default = as_json(spec.get("default"))
    return schema if default is None else {**schema, "default": default}


def _tensor(spec: Mapping[str, Any]) -> dict[str, Any]:
    dtype = str(spec["tensor-spec"]["dtype"])
    kinds = {"f": "double", "i": "long", "u": "long", "b": "boolean", "s": "string"}
    schema = dict(_KINDS.get(kinds.get(dtype[0], ""), {}))
    for _ in spec["tensor-spec"]["shape"]:
        schema = {"type": "array", "items": schema}
    return schema


def _example(example: Body) -> dict[str, Any]:
    return {"input_data": as_json(example.value)}
