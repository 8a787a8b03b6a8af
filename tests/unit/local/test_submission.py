from __future__ import annotations

import pytest
from tests.lab import command, pipeline, step

from amlocal.local.submission import new_record, settings
from amlocal.plan import Component, DataValue, Job, JobStatus, LiteralValue, Scalar, Step
from amlocal.plan.job import Warned


def test_a_command_job_is_its_own_step() -> None:
    job = new_record(command("true", version="1"), "kind_fig")
    assert (job.name, job.type, job.status) == ("kind_fig", "command", JobStatus.NOT_STARTED)
    assert job.display_name == "kind_fig"
    assert job.children == ()
    assert job.creation_time
    assert not job.start_time


def test_a_pipelines_steps_have_names_of_their_own() -> None:
    job = new_record(pipeline(step("a", "true"), step("b", "true"), display_name="Both"), "fig")
    assert job.display_name == "Both"
    assert [child.name for child in job.children] == ["fig_a", "fig_b"]
    assert [child.step for child in job.children] == ["a", "b"]
    assert {child.parent for child in job.children} == {"fig"}


def test_a_record_says_what_it_runs() -> None:
    known = Step(name="a", component=Component(command="x", name="train", version="3", source="f"))
    job = new_record(pipeline(known, step("b", "true"), source="jobs/x.yml"), "fig")
    assert [child.component for child in job.children] == ["train:3", ""]
    assert [child.source for child in job.children] == ["f", "jobs/x.yml"]


@pytest.mark.parametrize(
    ("value", "kind"), [(True, "boolean"), (1, "integer"), (1.5, "number"), ("x", "string")]
)
def test_literals_have_a_type(value: Scalar, kind: str) -> None:
    job = new_record(pipeline(inputs={"x": LiteralValue(value=value)}), "fig")
    assert (job.inputs["x"].type, job.inputs["x"].value) == (kind, value)


def test_the_secret_of_an_address_is_not_recorded() -> None:
    path = "https://user:key@x.blob.core.windows.net/c/d.csv?sig=hunter2"
    job = new_record(pipeline(inputs={"x": DataValue(path=path, type="uri_file")}), "fig")
    assert job.inputs["x"].path == "https://x.blob.core.windows.net/c/d.csv"


def test_warnings_name_their_field() -> None:
    job = Job(
        type="pipeline", steps=(), experiment_name="e", warnings=(Warned(field="a", message="b"),)
    )
    assert new_record(job, "fig").warnings == ("a: b",)


def test_fields_become_settings() -> None:
    given = settings({"description": "a: b", "tags": {"a.b": "1"}, "experiment_name": "e"})
    assert given == ["description=a: b", 'tags={"a.b": "1"}', "experiment_name=e"]
