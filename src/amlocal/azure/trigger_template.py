"""A trigger as an ARM template: a Logic App that starts the job, and what tells it of events.

Event Grid sends what happens in the storage account or the workspace to the Logic App, which
submits the job that a schedule of the workspace holds (disabled, so that it starts nothing itself),
with the trigger's inputs, under its own identity. What is asked of Azure here is described in:

- Azure Machine Learning, and Blob Storage, as Event Grid sources (event types and data)
- Monitor performance of models deployed to production (the filter for breaches of thresholds)
- Workflow Definition Language of Azure Logic Apps; Event Grid's validation of webhooks
- REST API of Azure Machine Learning: Schedules - Get, Jobs - Create Or Update
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from amlocal.azure.trigger_workflow import workflow
from amlocal.errors import Problem, SpecError
from amlocal.plan.expression import references
from amlocal.plan.trigger import COMMON_FIELDS, Trigger, TriggerTemplate

_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
_WORKSPACES = "Microsoft.MachineLearningServices/workspaces"
#: The role AzureML Data Scientist, which may submit jobs.
_ROLE = "f6c7c914-8db3-469d-8ca1-694a8f32e121"
_BREACH = "has failed due to one or more features violating metric thresholds"
_DATASTORE = re.compile(r"(?i)azureml://(?:.*/)?datastores/(?P<datastore>[^/]+)/paths/(?P<path>.*)")
#: Minutes that Event Grid goes on offering an event that the Logic App has no room for.
_OFFERED_MINUTES = 5

#: What `${{event.NAME}}` stands for in Azure beside what every event has.
TOLD: Mapping[str, frozenset[str]] = {
    "new_data": frozenset({"path", "digest"}),
    "drift": frozenset({"monitor"}),
    "performance_decay": frozenset({"monitor"}),
    "new_model_version": frozenset({"path", "model", "version"}),
}


def export(trigger: Trigger) -> TriggerTemplate:
    """Return a trigger as an ARM template of a resource group.

    Raises:
        SpecError: Azure has no such event, or it does not tell what the job's inputs ask for.
    """
    problems = [
        Problem(message, hint, file=trigger.source, target="azure")
        for message, hint in _problems(trigger)
    ]
    if problems:
        raise SpecError(problems)
    parameters = _parameters(trigger)
    template = {
        "$schema": _SCHEMA,
        "contentVersion": "1.0.0.0",
        "metadata": {
            "description": trigger.description or f"Trigger {trigger.name}",
            "trigger": trigger.name,
        },
        "parameters": parameters,
        "variables": {
            "workspaceId": f"[resourceId('{_WORKSPACES}', parameters('workspaceName'))]",
            "workflowId": "[resourceId('Microsoft.Logic/workflows', parameters('logicAppName'))]",
        },
        "resources": _resources(trigger),
    }
    return TriggerTemplate(
        template=json.dumps(template, indent=2) + "\n", warnings=tuple(_warnings(trigger))
    )


def _problems(trigger: Trigger) -> list[tuple[str, str]]:
    """Return what Azure cannot do of a trigger, each with what to do about it."""
    found = []
    kind, path = trigger.event.type, trigger.event.path
    if kind == "new_data" and not _DATASTORE.fullmatch(path):
        if path.startswith("azureml:") and "//" not in path:
            message = "Azure ML sends no event for a new version of a data asset"
        else:
            message = f"Azure sees no changes of {path}"
        hint = "watch where the data are written: path: azureml://datastores/NAME/paths/FOLDER"
        found.append((message, hint))
    return [*found, *_untold(trigger)]


def _untold(trigger: Trigger) -> Iterator[tuple[str, str]]:
    """Give what the job's inputs ask of an event that Azure's does not tell."""
    kind = trigger.event.type
    if kind not in TOLD:
        return  # who asks for a run tells what it wants
    told = {*TOLD[kind], *COMMON_FIELDS}
    if kind in {"drift", "performance_decay"} and not trigger.event.monitor:
        told -= {"monitor", "source"}
    for value in trigger.inputs.values():
        for text in value.values() if isinstance(value, dict) else (value,):
            for each in references(text) if isinstance(text, str) else ():
                if each.path[0] == "event" and each.path[-1] not in told:
                    hint = f"it tells {', '.join(sorted(told))}"
                    yield f"Azure's event for {kind} tells no {each.path[-1]!r}", hint


def _warnings(trigger: Trigger) -> list[str]:
    conditions = trigger.conditions
    told = [
        f"the template takes the job from the schedule {trigger.name}-job of the workspace: make "
        "one with create_job and disable it, or give another as scheduleName"
    ]
    if conditions.minimum_rows:
        told.append("minimum_rows is not in the template: a Logic App does not count rows")
    if trigger.event.type in {"drift", "performance_decay"}:
        told.append(
            "Azure tells of every breach alike: give the name of a signal as breachText, so that "
            f"only its breaches are {trigger.event.type}"
        )
    return told


def _parameters(trigger: Trigger) -> dict[str, Any]:
    def text(description: str, default: str | None = None) -> dict[str, Any]:
        told: dict[str, Any] = {"type": "string", "metadata": {"description": description}}
        return told if default is None else {**told, "defaultValue": default}

    parameters = {
        "workspaceName": text("The Azure ML workspace, in this resource group."),
        "location": text("Where the Logic App runs.", "[resourceGroup().location]"),
        "logicAppName": text("The Logic App.", trigger.name),
        "scheduleName": text(
            "The schedule of the workspace, disabled, that holds the job.", f"{trigger.name}-job"
        ),
    }
    if trigger.event.type == "new_data":
        parameters["storageAccountName"] = text("The datastore's account, in this resource group.")
        parameters["containerName"] = text("The datastore's container.")
    if trigger.event.type in {"drift", "performance_decay"}:
        parameters["breachText"] = text(
            "What a breach's message holds: the name of a signal, or what all breaches say.",
            _BREACH,
        )
    return parameters


def _resources(trigger: Trigger) -> list[dict[str, Any]]:
    reading = "reference(variables('workflowId'), '2019-05-01', 'full').identity.principalId"
    resources = [
        {
            "type": "Microsoft.Logic/workflows",
            "apiVersion": "2019-05-01",
            "name": "[parameters('logicAppName')]",
            "location": "[parameters('location')]",
            "identity": {"type": "SystemAssigned"},
            "tags": {"trigger": trigger.name},
            "properties": {
                "state": "Enabled",
                "definition": workflow(trigger),
                "parameters": {
                    "workspaceId": {"value": "[variables('workspaceId')]"},
                    "workspaceUri": {
                        "value": "[uri(environment().resourceManager, variables('workspaceId'))]"
                    },
                    "scheduleName": {"value": "[parameters('scheduleName')]"},
                    "audience": {"value": "[environment().authentication.audiences[0]]"},
                },
            },
        },
        {
            "type": "Microsoft.Authorization/roleAssignments",
            "apiVersion": "2022-04-01",
            "name": f"[guid(variables('workspaceId'), variables('workflowId'), '{_ROLE}')]",
            "scope": "[variables('workspaceId')]",
            "dependsOn": ["[variables('workflowId')]"],
            "properties": {
                "principalId": f"[{reading}]",
                "principalType": "ServicePrincipal",
                "roleDefinitionId": "[subscriptionResourceId("
                f"'Microsoft.Authorization/roleDefinitions', '{_ROLE}')]",
            },
        },
    ]
    if trigger.event.type != "on_demand":
        resources.append(_subscription(trigger))
    return resources


def _subscription(trigger: Trigger) -> dict[str, Any]:
    callback = "listCallbackUrl(concat(variables('workflowId'), '/triggers/event'), '2019-05-01')"
    is_data = trigger.event.type == "new_data"
    storage = "Microsoft.Storage/storageAccounts"
    account = f"[resourceId('{storage}', parameters('storageAccountName'))]"
    return {
        "type": "Microsoft.EventGrid/eventSubscriptions",
        "apiVersion": "2022-06-15",
        "name": trigger.name.replace("_", "-"),  # which Event Grid does not take
        "scope": account if is_data else "[variables('workspaceId')]",
        "dependsOn": ["[variables('workflowId')]"],
        "properties": {
            "eventDeliverySchema": "EventGridSchema",
            "destination": {
                "endpointType": "WebHook",
                "properties": {"endpointUrl": f"[{callback}.value]", "maxEventsPerBatch": 1},
            },
            "filter": _filter(trigger),
            "retryPolicy": {
                "maxDeliveryAttempts": 30,
                "eventTimeToLiveInMinutes": _OFFERED_MINUTES,
            },
        },
    }


def _filter(trigger: Trigger) -> dict[str, Any]:
    event = trigger.event
    services = "Microsoft.MachineLearningServices"
    if event.type == "new_data":
        found = _DATASTORE.fullmatch(event.path)
        path = found["path"].strip("/").replace("'", "''") if found else ""
        start = "/blobServices/default/containers/"
        return {
            "includedEventTypes": ["Microsoft.Storage.BlobCreated"],
            "subjectBeginsWith": f"[concat('{start}', parameters('containerName'), "
            f"'/blobs/{path}')]",
        }
    if event.type == "new_model_version":
        named = {"operatorType": "StringIn", "key": "data.ModelName", "values": [event.model]}
        return {
            "includedEventTypes": [f"{services}.ModelRegistered"],
            "advancedFilters": [named],
        }
    breach = {
        "operatorType": "StringContains",
        "key": "data.RunTags.azureml_modelmonitor_threshold_breached",
        "values": ["[parameters('breachText')]"],
    }
    return {"includedEventTypes": [f"{services}.RunStatusChanged"], "advancedFilters": [breach]}
