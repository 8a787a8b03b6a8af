"""Templates of triggers: in step with their files, and whole in themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from amlocal.azure.trigger_template import export
from amlocal.client import export_trigger
from amlocal.errors import SpecError
from amlocal.plan.trigger import Trigger, TriggerConditions, TriggerEvent

PROJECT = Path(__file__).parents[3]
EXAMPLES = sorted((PROJECT / "jobs" / "triggers").glob("*.yml"))
DATA = TriggerEvent(type="new_data", path="azureml://datastores/d/paths/adult/incoming/")
#: Functions of templates, and of workflows, that the exported ones may use.
TEMPLATE_FUNCTIONS = frozenset(
    {"concat", "environment", "guid", "listCallbackUrl", "parameters", "reference"}
    | {"resourceGroup", "resourceId", "subscriptionResourceId", "uri", "variables"}
)
WORKFLOW_FUNCTIONS = frozenset(
    {"body", "coalesce", "concat", "contains", "createArray", "json", "outputs", "parameters"}
    | {"replace", "setProperty", "triggerBody", "union", "utcNow", "workflow"}
)


def made(**fields: Any) -> Trigger:
    fields.setdefault("event", DATA)
    return Trigger(name="retrain", job="/project/job.yml", source="t.yml", **fields)


def template_of(trigger: Trigger) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(export(trigger).template)
    return found


def resources(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["type"].split("/")[-1]: each for each in template["resources"]}


def definition(template: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = resources(template)["workflows"]["properties"]["definition"]
    return found


def job_actions(template: dict[str, Any]) -> dict[str, Any]:
    actions = definition(template)["actions"]
    return actions["Validate"]["else"]["actions"] if "Validate" in actions else actions


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from (name, *texts(item))
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def unquoted(expression: str) -> str:
    """Return an expression without its texts, its brackets checked."""
    plain = re.sub(r"'(?:[^']|'')*'", "''", expression)
    assert "'" not in plain.replace("''", "")
    stack = []
    for sign in plain:
        if sign in "([{":
            stack.append({"(": ")", "[": "]", "{": "}"}[sign])
        elif sign in ")]}":
            assert stack, expression
            assert stack.pop() == sign, expression
    assert not stack, expression
    return plain


def functions(expression: str) -> set[str]:
    return set(re.findall(r"([A-Za-z]+)\(", unquoted(expression)))


def check_template(template: dict[str, Any]) -> None:
    """Check a template's own references: parameters, variables, functions, resources."""
    assert set(template) == {"$schema", "contentVersion", "metadata"} | {
        *("parameters", "variables", "resources")
    }
    used: set[str] = set()
    for text in texts({name: template[name] for name in ("parameters", "variables", "resources")}):
        if not text.startswith("[") or text.startswith("[["):
            continue
        assert text.endswith("]")
        assert functions(text) <= TEMPLATE_FUNCTIONS, text
        used |= set(re.findall(r"parameters\('(\w+)'\)", text))
        for name in re.findall(r"variables\('(\w+)'\)", text):
            assert name in template["variables"], text
    assert used == set(template["parameters"]), "each is declared, and each is used"
    for resource in template["resources"]:
        assert {"type", "apiVersion", "name", "properties"} <= set(resource)
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", resource["apiVersion"])
        assert all(each == "[variables('workflowId')]" for each in resource.get("dependsOn", []))


def check_workflow(workflow: dict[str, Any], given: set[str]) -> None:
    """Check a workflow's references: its parameters, its actions, and their order."""
    assert set(workflow["parameters"]) == given
    names: set[str] = set()

    def check_actions(actions: dict[str, Any], before: set[str]) -> None:
        for name, action in actions.items():
            assert name not in names, "names of actions are unique in a workflow"
            names.add(name)
            assert set(action["runAfter"]) <= set(actions) - {name}
            check_actions(action.get("actions", {}), before | names)
            check_actions(action.get("else", {}).get("actions", {}), before | names)
            own = {key: item for key, item in action.items() if key not in {"actions", "else"}}
            for text in texts(own):
                for used in re.findall(r"(?:body|outputs)\('(\w+)'\)", text):
                    assert used in names, f"{name} uses {used} before it is there"

    check_actions(workflow["actions"], set())
    for text in texts(workflow):
        for expression in re.findall(r"(?<!@)@\{([^}]*(?:\{\}[^}]*)*)\}", text) + (
            [text[1:]] if re.match(r"@[a-zA-Z]", text) else []
        ):
            assert functions(expression) <= WORKFLOW_FUNCTIONS, expression
            assert set(re.findall(r"parameters\('(\w+)'\)", expression)) <= given


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_what_infra_holds_is_what_the_files_say(file: Path) -> None:
    kept = PROJECT / "infra" / "triggers" / f"{file.stem}.json"
    assert kept.read_text() == export_trigger(file).template, (
        f"aml trigger export -f jobs/triggers/{file.name} --output-file infra/triggers/{kept.name}"
    )


def test_each_template_has_its_file() -> None:
    kept = sorted((PROJECT / "infra" / "triggers").glob("*.json"))
    assert [file.stem for file in kept] == [file.stem for file in EXAMPLES]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_a_template_is_whole(file: Path) -> None:
    template = json.loads(export_trigger(file).template)
    check_template(template)
    given = resources(template)["workflows"]["properties"]["parameters"]
    check_workflow(definition(template), set(given))


def test_data_are_heard_of_by_their_place() -> None:
    subscription = resources(template_of(made()))["eventSubscriptions"]
    assert subscription["scope"] == (
        "[resourceId('Microsoft.Storage/storageAccounts', parameters('storageAccountName'))]"
    )
    assert subscription["properties"]["filter"] == {
        "includedEventTypes": ["Microsoft.Storage.BlobCreated"],
        "subjectBeginsWith": "[concat('/blobServices/default/containers/', "
        "parameters('containerName'), '/blobs/adult/incoming')]",
    }


def test_a_model_is_heard_of_by_its_name() -> None:
    trigger = made(
        event=TriggerEvent(type="new_model_version", model="adult"),
        inputs={"model": {"path": "${{event.path}}", "type": "mlflow_model"}},
    )
    template = template_of(trigger)
    told = resources(template)["eventSubscriptions"]["properties"]["filter"]
    assert told["includedEventTypes"] == ["Microsoft.MachineLearningServices.ModelRegistered"]
    assert told["advancedFilters"][0]["values"] == ["adult"]
    given = job_actions(template)["Inputs"]["inputs"]["model"]
    assert given["jobInputType"] == "mlflow_model"
    assert given["uri"].startswith("@{concat(parameters('workspaceId'), '/models/', ")


def test_a_breach_is_heard_of_by_the_monitors_tag() -> None:
    trigger = made(event=TriggerEvent(type="drift", monitor="weekly"))
    told = resources(template_of(trigger))["eventSubscriptions"]["properties"]["filter"]
    assert told["includedEventTypes"] == ["Microsoft.MachineLearningServices.RunStatusChanged"]
    key = told["advancedFilters"][0]["key"]
    assert key == "data.RunTags.azureml_modelmonitor_threshold_breached"


def test_a_run_on_demand_needs_no_subscription() -> None:
    trigger = made(event=TriggerEvent(type="on_demand"), inputs={"n": "${{event.n}}", "x": "a@b"})
    template = template_of(trigger)
    assert "eventSubscriptions" not in resources(template)
    assert job_actions(template)["Inputs"]["inputs"] == {
        "n": {"jobInputType": "literal", "value": "@{triggerBody()?['n']}"},
        "x": {"jobInputType": "literal", "value": "a@@b"},
    }


def test_conditions_are_in_the_workflow() -> None:
    template = template_of(made(conditions=TriggerConditions(cool_down=90, settled_for=2.5)))
    actions = job_actions(template)
    order = ["Settle", "Get_job", "Inputs", "Tags", "Start_job", "Wait_for_end", "Cool_down"]
    assert list(actions) == order
    assert actions["Settle"]["inputs"]["interval"] == {"count": 3, "unit": "Second"}
    assert actions["Cool_down"]["inputs"]["interval"] == {"count": 90, "unit": "Second"}
    trigger = definition(template)["triggers"]["event"]
    assert trigger["runtimeConfiguration"]["concurrency"]["runs"] == 1
    free = template_of(made(conditions=TriggerConditions(one_run_at_a_time=False, settled_for=0)))
    assert list(job_actions(free)) == ["Get_job", "Inputs", "Tags", "Start_job"]
    assert "runtimeConfiguration" not in definition(free)["triggers"]["event"]


def test_an_event_that_is_sent_twice_names_the_same_job() -> None:
    uri = job_actions(template_of(made()))["Start_job"]["inputs"]["uri"]
    assert "/jobs/retrain_@{replace(triggerBody()?['id'], '/', '_')}?" in uri


def test_texts_are_no_expressions_of_the_template() -> None:
    inputs = job_actions(template_of(made(inputs={"x": "[1, 2]"})))["Inputs"]["inputs"]
    assert inputs["x"]["value"] == "[[1, 2]"


def test_rows_are_not_counted_in_azure_and_that_is_said() -> None:
    trigger = made(conditions=TriggerConditions(minimum_rows=5))
    assert any("minimum_rows" in each for each in export(trigger).warnings)
    assert not any("minimum_rows" in each for each in export(made()).warnings)


@pytest.mark.parametrize(
    ("event", "inputs", "problem"),
    [
        (TriggerEvent(type="new_data", path="/data/in"), {}, "Azure sees no changes of /data/in"),
        (TriggerEvent(type="new_data", path="azureml:adult"), {}, "no event for a new version of"),
        (DATA, {"x": "${{event.files}}"}, "Azure's event for new_data tells no 'files'"),
        (TriggerEvent(type="drift"), {"x": "${{event.monitor}}"}, "drift tells no 'monitor'"),
        (TriggerEvent(type="drift"), {"x": {"path": "${{event.report}}"}}, "tells no 'report'"),
    ],
)
def test_what_azure_does_not_have_is_refused(
    event: TriggerEvent, inputs: dict[str, Any], problem: str
) -> None:
    with pytest.raises(SpecError, match=re.escape(problem)) as told:
        export(msgspec.structs.replace(made(inputs=inputs), event=event))
    assert [each.file for each in told.value.problems] == ["t.yml"]
