"""Checks what the SDK takes of an AutoML job and Azure's service, or the search, would not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amlocal.errors import Problem, near_miss
from amlocal.plan import AUTOML_INPUTS, BEST_MODEL, AutoMLTask
from amlocal.plan.expression import references
from amlocal.spec import automl, build
from amlocal.spec import automl_names as names
from amlocal.spec.check import plain
from amlocal.spec.check_forecasting import check_forecasting
from amlocal.spec.check_mltable import check_mltable
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Place
from amlocal.spec.paths import Files, check_inputs
from amlocal.spec.structure import check_object

# As AutoMLBaseSettings of azureml-automl-core has them, which the service is built of.
_RANGES = {
    "timeout_minutes": (1, 525_600),
    "trial_timeout_minutes": (1, 43_200),
    "max_trials": (1, 1_000),
    "max_concurrent_trials": (1, 1_000),
    "max_nodes": (1, 1_000),
}
_MOST_CORES = 16_384
_MOST_FOLDS = 1_000
#: Below it Azure refuses the job when it starts.
_SHORTEST_IN_AZURE = 15

#: Fields that only one task has.
_OF_ONE_TASK = {"positive_label": "classification", "forecasting": "forecasting"}


def check_automl(
    findings: Findings, files: Files, at: Place, value: Mapping[str, Any], schema: str
) -> None:
    """Check an AutoML job or step.

    Args:
        findings: Where problems and warnings go.
        files: Reads the MLTable files that it names.
        at: The job's or the step's place.
        value: Its fields; of a step, with the pipeline's values in place.
        schema: `automl_job` or `automl_step`.
    """
    if not _check_task(findings, at.at("task"), value):
        return
    check_object(findings, at, value, schema)
    task = automl.task(value)
    findings.add(_of_another_task(at, value, task))
    findings.add(_metric(at.at("primary_metric"), value, task))
    training = build.mapping(value.get("training"))
    findings.add(_algorithms(at.at("training"), training, task))
    _check_absent(findings, at.at("training", "allowed_training_algorithms"), training, task)
    findings.add(_columns(at, value))
    findings.add(_validation(at, value))
    findings.add(_limits(at.at("limits"), build.mapping(value.get("limits"))))
    findings.add(
        _featurization(at.at("featurization"), build.mapping(value.get("featurization")), task)
    )
    findings.add(_stack(at, value))
    findings.add(_outputs(at.at("outputs"), value.get("outputs")))
    if task == "forecasting":
        findings.add(check_forecasting(at, value))
    minutes = build.number(build.mapping(value.get("limits")).get("timeout_minutes"))
    if minutes is not None and 1 <= minutes < _SHORTEST_IN_AZURE:
        message = f"Azure's AutoML takes {_SHORTEST_IN_AZURE} minutes or more; here it is honoured."
        findings.warn("limits.timeout_minutes", message)
    data = {name: value.get(name) for name in AUTOML_INPUTS}
    check_inputs(findings, files, at, data)
    for name, item in data.items():
        check_mltable(findings, files, at.at(name, "path"), build.mapping(item).get("path"))


def _check_task(findings: Findings, at: Place, value: Mapping[str, Any]) -> bool:
    """Return whether the task runs here; where it does not, nothing else is judged."""
    said = value.get("task")
    if said in names.TASKS:
        return True
    hint = f"add task: {', task: '.join(names.TASKS[:-1])}, or task: {names.TASKS[-1]}"
    if said in names.IMAGE_AND_TEXT_TASKS:
        message = f"AutoML of images and text ({said}) does not run here, only that of tables"
        findings.unsupported(at, message, "send it to Azure: --target azure")
    elif said is None:
        findings.problem(at, "the AutoML job lacks its task", hint)
    else:
        findings.problem(at, f"there is no AutoML task {said!r}", near_miss(str(said), names.TASKS))
    return False


def _of_another_task(at: Place, value: Mapping[str, Any], task: AutoMLTask) -> Iterator[Problem]:
    for name, other in _OF_ONE_TASK.items():
        if name in value and task != other:
            hint = f"remove it, or write task: {other}"
            yield at.at(name).problem(f"{name!r} is of {other} alone, not of {task}", hint)


def _metric(at: Place, value: Mapping[str, Any], task: AutoMLTask) -> Iterator[Problem]:
    said = value.get("primary_metric")
    known = names.METRICS[task]
    if isinstance(said, str) and names.snake(said) not in known and not references(said):
        hint = near_miss(said, known.values())
        yield at.problem(f"{said!r} is no primary metric of {task}", hint)


def _algorithms(at: Place, value: Mapping[str, Any], task: AutoMLTask) -> Iterator[Problem]:
    known = names.ALGORITHMS[task]
    said: dict[str, set[str]] = {}
    for field in ("allowed_training_algorithms", "blocked_training_algorithms"):
        what = f"algorithm of {task}"
        yield from _unknown_names(at.at(field), value.get(field), known, what)
        said[field] = {names.snake(name) for name in automl.strings(value.get(field))}
    allowed, blocked = said.values()
    # An unknown name is told already, and is none that is left.
    if (allowed or set(known)) <= blocked:
        message = "every algorithm that is allowed is blocked, too"
        yield at.at("blocked_training_algorithms").problem(message, "leave one of them")


def _check_absent(
    findings: Findings, at: Place, value: Mapping[str, Any], task: AutoMLTask
) -> None:
    """Tell of algorithms that are allowed, and that only Azure has."""
    said = [names.snake(name) for name in automl.strings(value.get("allowed_training_algorithms"))]
    allowed = {names.ALGORITHMS[task].get(name, name) for name in said}
    absent = sorted(allowed & names.ONLY_IN_AZURE)
    if not absent:
        return
    listed = " and ".join(absent)
    if allowed <= names.ONLY_IN_AZURE:
        hint = "allow another algorithm, or send it to Azure: --target azure"
        findings.unsupported(at, f"{listed} cannot be trained here, and nothing else may be", hint)
    else:
        findings.warn("automl_training.allowed_training_algorithms", f"{listed} is left out here.")


def _unknown_names(
    at: Place, value: object, known: Mapping[str, str], what: str
) -> Iterator[Problem]:
    for index, name in enumerate(value if isinstance(value, list) else ()):
        if isinstance(name, str) and names.snake(name) not in known:
            hint = near_miss(names.snake(name), known)
            yield at.at(index).problem(f"{name!r} is no {what}", hint)


def _columns(at: Place, value: Mapping[str, Any]) -> Iterator[Problem]:
    target = value.get("target_column_name")
    if isinstance(target, str) and not target.strip():
        hint = "name the column to be predicted"
        yield at.at("target_column_name").problem("the target column has no name", hint)
        return
    for field in ("weight_column_name", "cv_split_column_names"):
        if target is not None and target in automl.strings(value.get(field)):
            message = f"column {target!r} is the target, and so cannot be in {field!r}"
            yield at.at(field).problem(message, "name another column")


def _validation(at: Place, value: Mapping[str, Any]) -> Iterator[Problem]:
    folds = build.number(value.get("n_cross_validations"))
    place = at.at("n_cross_validations")
    if folds is not None and not 2 <= folds <= _MOST_FOLDS:
        message = f"n_cross_validations is {plain(folds)}, which is out of range"
        yield place.problem(message, f"give 2 to {_MOST_FOLDS}, or auto")
    given = [name for name in AUTOML_INPUTS if value.get(name) is not None]
    # `auto` is what Azure takes anyway, and so is no contradiction.
    rivals = {
        "n_cross_validations": folds is not None,
        "validation_data_size": value.get("validation_data_size") is not None,
        "cv_split_column_names": bool(value.get("cv_split_column_names")),
    }
    for name in ("n_cross_validations", "validation_data_size"):
        if rivals[name] and rivals["cv_split_column_names"]:
            message = f"{name!r} splits the training data, and so does 'cv_split_column_names'"
            yield at.at(name).problem(message, "keep one")
    for name, said in rivals.items():
        if said and "validation_data" in given:
            message = f"{name!r} splits the training data, though validation_data is given"
            yield at.at(name).problem(message, "keep one")
    if value.get("test_data_size") is not None and "test_data" in given:
        message = "'test_data_size' splits the training data, though test_data is given"
        yield at.at("test_data_size").problem(message, "keep one")
    for name in ("validation_data_size", "test_data_size"):
        size = build.number(value.get(name))
        if size is not None and not 0 < size < 1:
            message = f"{name} is {plain(size)}, which is no share of the rows"
            yield at.at(name).problem(message, "give a number above 0 and below 1")


def _limits(at: Place, value: Mapping[str, Any]) -> Iterator[Problem]:
    for name, (least, most) in _RANGES.items():
        given = build.number(value.get(name))
        # Azure's client cuts off fractions.
        if given is not None and not least <= int(given) <= most:
            message = f"{name} is {plain(given)}, which is out of range"
            yield at.at(name).problem(message, f"give {least} to {most}")
    cores = build.number(value.get("max_cores_per_trial"))
    if cores is not None and cores != -1 and not 1 <= cores <= _MOST_CORES:
        message = f"max_cores_per_trial is {plain(cores)}, which is out of range"
        place = at.at("max_cores_per_trial")
        yield place.problem(message, f"give 1 to {_MOST_CORES}, or -1 for all")


def _featurization(at: Place, value: Mapping[str, Any], task: AutoMLTask) -> Iterator[Problem]:
    blocked = value.get("blocked_transformers")
    place = at.at("blocked_transformers")
    yield from _unknown_names(place, blocked, names.TRANSFORMERS, "transformer")
    purposes = {name.lower() for name in names.PURPOSES}
    for column, purpose in build.mapping(value.get("column_name_and_types")).items():
        if isinstance(purpose, str) and purpose.lower() not in purposes:
            hint = near_miss(purpose, names.PURPOSES)
            where = at.at("column_name_and_types", column)
            yield where.problem(f"{purpose!r} is no purpose of a column", hint)
    for name, items in build.mapping(value.get("transformer_params")).items():
        where = at.at("transformer_params", name)
        if names.snake(name) not in names.PARAMETRIC_TRANSFORMERS:
            hint = near_miss(names.snake(name), names.PARAMETRIC_TRANSFORMERS)
            yield where.problem(f"{name!r} is no transformer that takes parameters", hint)
        elif names.snake(name) == "imputer":
            for index, item in enumerate(items if isinstance(items, list) else ()):
                yield from _imputer(where.at(index), build.mapping(item), task)


def _imputer(at: Place, value: Mapping[str, Any], task: AutoMLTask) -> Iterator[Problem]:
    parameters = build.mapping(value.get("parameters"))
    strategy = parameters.get("strategy")
    known = names.IMPUTATIONS if task == "forecasting" else names.IMPUTATIONS[:-2]
    place = at.at("parameters", "strategy")
    if strategy is not None and strategy not in known:
        message = f"{strategy!r} is no way to fill in missing values of {task}"
        yield place.problem(message, near_miss(str(strategy), known))
    elif strategy == "constant" and "fill_value" not in parameters:
        hint = "add fill_value: below parameters:"
        yield place.problem("a constant imputation lacks its value", hint)


def _stack(at: Place, value: Mapping[str, Any]) -> Iterator[Problem]:
    place = at.at("training", "stack_ensemble_settings")
    said = build.mapping(build.mapping(value.get("training")).get("stack_ensemble_settings"))
    meta = said.get("stack_meta_learner_type")
    if isinstance(meta, str) and names.snake(meta) not in names.META_LEARNERS:
        hint = near_miss(names.snake(meta), names.META_LEARNERS)
        yield place.at("stack_meta_learner_type").problem(f"{meta!r} is no meta-learner", hint)
    share = build.number(said.get("stack_meta_learner_train_percentage"))
    if share is not None and not 0 < share < 1:
        message = f"stack_meta_learner_train_percentage is {plain(share)}, no share of the rows"
        where = place.at("stack_meta_learner_train_percentage")
        yield where.problem(message, "give a number above 0 and below 1")


def _outputs(at: Place, value: object) -> Iterator[Problem]:
    for name, said in build.mapping(value).items():
        if name != BEST_MODEL:
            hint = f"the model that is found is its one output: {BEST_MODEL}"
            yield at.at(name).problem(f"AutoML has no output {name!r}", hint)
            continue
        kind = build.text(build.mapping(said).get("type")).lower()
        # The SDK's objects are of type uri_folder where they are promoted without a type.
        is_unsaid = kind == build.UNSAID and build.promoted(said) is not None
        if kind not in {"", "mlflow_model"} and not is_unsaid:
            message = f"the output {name!r} of AutoML is an mlflow_model, not {kind!r}"
            yield at.at(name, "type").problem(message, "write type: mlflow_model")
