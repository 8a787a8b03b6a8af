"""The Logic App of a trigger: takes an event, and submits a job with its inputs.

::

    Validate    an address that Event Grid asks about is confirmed (and nothing else happens)
    Settle      waits until what arrives has been written
    Get_job     the job that a schedule of the workspace holds
    Start_job   the job, named after the event: one that is sent twice starts one job
    Wait_for_end, Cool_down    the next event waits, since one run goes at a time
"""

from __future__ import annotations

import math
from typing import Any

from amlocal.plan.expression import Reference, Text, parse
from amlocal.plan.ports import Scalar
from amlocal.plan.trigger import Trigger

_SCHEMA = (
    "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/"
    "workflowdefinition.json#"
)
_API = "2024-04-01"
_ENDED = ("Completed", "Failed", "Canceled")
_VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"
#: A run of a Logic App lasts 90 days at most.
_LONGEST = "P30D"

Action = dict[str, Any]


def workflow(trigger: Trigger) -> dict[str, Any]:
    """Return the definition of a trigger's workflow."""
    is_event = trigger.event.type != "on_demand"
    actions = _job_actions(trigger)
    if is_event:
        actions = _validated(actions)
    listens: dict[str, Any] = {"type": "Request", "kind": "Http", "inputs": {"schema": {}}}
    if is_event:
        listens["splitOn"] = "@triggerBody()"
    if trigger.conditions.one_run_at_a_time or trigger.conditions.cool_down:
        # One waits while one runs; its job finds what those tell of that have no room.
        concurrency = {"runs": 1, "maximumWaitingRuns": 1}
        listens["runtimeConfiguration"] = {"concurrency": concurrency}
    return {
        "$schema": _SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {
            name: {"type": "String"}
            for name in ("workspaceId", "workspaceUri", "scheduleName", "audience")
        },
        "triggers": {"event": listens},
        "actions": actions,
        "outputs": {},
    }


def _validated(actions: dict[str, Action]) -> dict[str, Action]:
    """Return actions of which Event Grid's question, whether it may send, has its own."""
    asks = {"equals": ["@triggerBody()?['eventType']", _VALIDATION]}
    confirm = {
        "type": "Http",
        "inputs": {"method": "GET", "uri": "@{triggerBody()?['data']?['validationUrl']}"},
        "runAfter": {},
    }
    return {
        "Validate": {
            "type": "If",
            "expression": {"and": [asks]},
            "actions": {"Confirm": confirm},
            "else": {"actions": actions},
            "runAfter": {},
        }
    }


def _job_actions(trigger: Trigger) -> dict[str, Action]:
    conditions = trigger.conditions
    actions: dict[str, Action] = {}
    if trigger.event.type == "new_data" and conditions.settled_for:
        actions["Settle"] = _wait(conditions.settled_for)
    schedule = "/schedules/@{parameters('scheduleName')}"
    actions["Get_job"] = {"type": "Http", "inputs": _request("GET", schedule)}
    job = "body('Get_job')?['properties']?['action']?['jobDefinition']"
    actions["Inputs"] = {"type": "Compose", "inputs": _inputs(trigger)}
    actions["Tags"] = {"type": "Compose", "inputs": _tags(trigger)}
    inputs = f"union(coalesce({job}?['inputs'], json('{{}}')), outputs('Inputs'))"
    tags = f"union(coalesce({job}?['tags'], json('{{}}')), outputs('Tags'))"
    changed = f"setProperty(setProperty({job}, 'inputs', {inputs}), 'tags', {tags})"
    if trigger.experiment_name:
        changed = f"setProperty({changed}, 'experimentName', {_quoted(trigger.experiment_name)})"
    place = f"/jobs/{_job_name(trigger)}"
    start = _request("PUT", place)
    actions["Start_job"] = {
        "type": "Http",
        "inputs": {**start, "body": {"properties": f"@{changed}"}},
    }
    if conditions.one_run_at_a_time:
        actions["Wait_for_end"] = _until_ended(place)
    if conditions.cool_down:
        actions["Cool_down"] = _wait(conditions.cool_down)
    names = list(actions)
    for before, name in zip([None, *names], names, strict=False):
        actions[name]["runAfter"] = {} if before is None else {before: ["Succeeded"]}
    return actions


def _until_ended(place: str) -> Action:
    state = "body('Get_state')?['properties']?['status']"
    ended = ", ".join(f"'{status}'" for status in _ENDED)
    return {
        "type": "Until",
        "expression": f"@contains(createArray({ended}), {state})",
        "limit": {"count": 5000, "timeout": _LONGEST},
        "actions": {
            "A_while": {**_wait(300), "runAfter": {}},
            "Get_state": {
                "type": "Http",
                "inputs": _request("GET", place),
                "runAfter": {"A_while": ["Succeeded"]},
            },
        },
    }


def _wait(seconds: float) -> Action:
    interval = {"count": max(math.ceil(seconds), 1), "unit": "Second"}
    return {"type": "Wait", "inputs": {"interval": interval}}


def _request(method: str, place: str) -> dict[str, Any]:
    """Return a request to the workspace, under the workflow's own identity."""
    return {
        "method": method,
        "uri": f"@{{parameters('workspaceUri')}}{place}?api-version={_API}",
        "authentication": {
            "type": "ManagedServiceIdentity",
            "audience": "@parameters('audience')",
        },
    }


def _job_name(trigger: Trigger) -> str:
    """Return the job's name: a request or an event that is sent twice names the same job."""
    if trigger.event.type == "on_demand":
        return f"{trigger.name}_@{{workflow()['run']['name']}}"
    return f"{trigger.name}_@{{replace(triggerBody()?['id'], '/', '_')}}"


def _inputs(trigger: Trigger) -> dict[str, Any]:
    """Return the trigger's inputs as the REST API has them."""
    given: dict[str, Any] = {}
    for name, value in trigger.inputs.items():
        if isinstance(value, dict):
            mode = {"mode": _MODES.get(value["mode"], value["mode"])} if "mode" in value else {}
            kind = value.get("type", "uri_folder")
            uri = _bound(value["path"], trigger)
            given[name] = {"jobInputType": kind, "uri": uri, **mode}
        else:
            given[name] = {"jobInputType": "literal", "value": _bound(value, trigger)}
    return given


_MODES = {"ro_mount": "ReadOnlyMount", "download": "Download", "direct": "Direct"}


def _tags(trigger: Trigger) -> dict[str, str]:
    event = trigger.event
    told = {"trigger": trigger.name, "event_type": event.type}
    if event.type != "on_demand":
        told["event"] = "@{triggerBody()?['id']}"
    return {**told, **({"event_source": event.source} if event.source else {})}


def _bound(value: Scalar, trigger: Trigger) -> str:
    """Return a value as text, with what Logic Apps reads in place of `${{...}}`."""
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    said = []
    for part in parse(value):
        if isinstance(part, Text):
            said.append(part.text.replace("@", "@@"))
        elif isinstance(part, Reference):
            said.append(_value(part, trigger))
    text = "".join(said)
    # A text in brackets is an expression of the template, but for two brackets at its start.
    return f"[{text}" if text.startswith("[") else text


def _value(reference: Reference, trigger: Trigger) -> str:
    """Return the text that gives what an expression stands for."""
    name, event = ".".join(reference.path[1:]), trigger.event
    if reference.path == ("trigger", "name"):
        return trigger.name
    fixed = {"type": event.type, "source": event.source or trigger.name, "monitor": event.monitor}
    if event.type == "new_data":
        fixed["path"] = event.path
    if name in fixed:
        return fixed[name].replace("@", "@@")
    return f"@{{{_expression(name, trigger)}}}"


def _expression(name: str, trigger: Trigger) -> str:
    body = "triggerBody()"
    if trigger.event.type == "on_demand":
        run = {"id": "workflow()['run']['name']", "time": "utcNow()"}
        return run.get(name, f"{body}?[{_quoted(name)}]")
    model, version = f"{body}?['data']?['ModelName']", f"{body}?['data']?['ModelVersion']"
    return {
        "id": f"{body}?['id']",
        "time": f"{body}?['eventTime']",
        "digest": f"{body}?['data']?['eTag']",
        "model": model,
        "version": version,
        "path": f"concat(parameters('workspaceId'), '/models/', {model}, '/versions/', {version})",
    }[name]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
