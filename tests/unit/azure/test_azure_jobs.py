"""Jobs of a workspace, over an object that stands in for the SDK's client."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, ResourceNotFoundError
from tests.unit.azure.fakes import FakeHistory, FakeJobs, FakeMLClient, FakeReporter, sdk_job

from amlocal.azure.errors import azure_errors
from amlocal.azure.jobs import AzureJobOperations
from amlocal.errors import NotFoundError, Problem, SpecError, TargetError, UsageError
from amlocal.plan import JobStatus


def operations(
    jobs: FakeJobs, *, history: FakeHistory | None = None, **options: Any
) -> AzureJobOperations:
    options = {"wait": lambda: None, **options}
    return AzureJobOperations(FakeMLClient(jobs), history or FakeHistory(), azure_errors, **options)


def test_a_file_is_sent(project: Path, capfd: Any) -> None:
    jobs = FakeJobs()
    info = operations(jobs).create_or_update(project / "job.yml", name="n", overrides=["tags.a=b"])
    assert (info.name, info.status) == ("n", JobStatus.NOT_STARTED)
    assert info.source == str(project / "job.yml")
    (sent,) = jobs.created
    assert sent.tags == {"a": "b"}
    assert sent.experiment_name == "exp"
    assert capfd.readouterr() == ("", "")


def test_keywords_stand_for_what_the_file_says(project: Path) -> None:
    jobs = FakeJobs()
    operations(jobs).create_or_update(
        "job.yml", experiment_name="other", tags={"a": "b"}, description="d", compute="azureml:big"
    )
    (sent,) = jobs.created
    assert (sent.experiment_name, sent.tags, sent.description) == ("other", {"a": "b"}, "d")
    assert sent.compute == "big"


def test_without_a_reporter_the_log_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = FakeJobs({"n": [sdk_job("n", "Running"), sdk_job("n", "Completed")]})
    operations(jobs, history=FakeHistory({"n": [b"hello\n"]})).stream("n")
    assert capsys.readouterr().out == "-- n\nhello\n-- n: Completed\n"


def test_a_job_that_exists_not_yet_is_followed_to_its_end(project: Path) -> None:
    jobs = FakeJobs({"n": [sdk_job("n", "Running"), sdk_job("n", "Completed")]})
    reporter = FakeReporter()
    history = FakeHistory({"n": [b"hello\n"]})
    info = operations(jobs, history=history).create_or_update(
        "job.yml", name="n", reporter=reporter
    )
    assert info.status is JobStatus.COMPLETED
    assert reporter.told[0] == ("started", "n")
    assert ("log", "n", "hello\n") in reporter.told
    assert reporter.told[-1] == ("finished", "Completed")


def test_an_interrupt_cancels_what_this_command_began(project: Path) -> None:
    jobs = FakeJobs({"n": [sdk_job("n", "Running")]})
    with pytest.raises(KeyboardInterrupt):
        operations(jobs).create_or_update(
            "job.yml", name="n", reporter=FakeReporter(interrupt_on="started")
        )
    assert ("begin_cancel", "n") in jobs.calls


def test_an_interrupt_leaves_what_is_only_watched() -> None:
    jobs = FakeJobs({"n": [sdk_job("n", "Running")]})
    with pytest.raises(KeyboardInterrupt):
        operations(jobs).stream("n", FakeReporter(interrupt_on="step"))
    assert jobs.calls == []


def test_the_check_comes_first(project: Path) -> None:
    jobs = FakeJobs()

    def check(source: object, overrides: Sequence[str]) -> None:
        raise SpecError([Problem(f"{source} {list(overrides)}")])

    checked = operations(jobs, check=check)
    with pytest.raises(SpecError, match=r"job\.yml \['a=b'\]"):
        checked.create_or_update("job.yml", overrides=["a=b"])
    with pytest.raises(SpecError):
        checked.validate("job.yml")
    assert jobs.created == []


@pytest.mark.parametrize("argument", [{"max_parallel": 2}, {"environment": "isolated"}])
def test_arguments_of_the_local_target_are_refused(project: Path, argument: Any) -> None:
    jobs = FakeJobs()
    with pytest.raises(UsageError, match="are for the local target"):
        operations(jobs).create_or_update("job.yml", **argument)
    assert jobs.created == []


@pytest.mark.parametrize("override", ["no-equals", "=value", " =value"])
def test_a_setting_that_is_none(project: Path, override: str) -> None:
    with pytest.raises(UsageError, match="is not a setting"):
        operations(FakeJobs()).create_or_update("job.yml", overrides=[override])


def test_settings_need_a_file() -> None:
    with pytest.raises(UsageError, match="not an object"):
        operations(FakeJobs()).create_or_update(sdk_job(), overrides=["a=b"])


def test_all_that_the_sdk_finds_wrong_is_told(project: Path) -> None:
    jobs = FakeJobs()
    jobs.validation = SimpleNamespace(passed=False, error_messages={"compute": "no", "a.b": "why"})
    with pytest.raises(SpecError) as caught:
        operations(jobs).validate("job.yml")
    assert str(caught.value) == "job.yml: compute: no\njob.yml: a.b: why"


def test_a_file_without_fault() -> None:
    info = operations(FakeJobs()).validate(sdk_job("x", None))
    assert (info.name, info.status) == ("x", JobStatus.NOT_STARTED)


def test_a_failed_job_says_why() -> None:
    jobs = FakeJobs({"n": [sdk_job("n", "Failed")]})
    info = operations(jobs, history=FakeHistory(error="exit code 3")).get("n")
    assert (info.status, info.error) == (JobStatus.FAILED, "exit code 3")


def test_a_pipeline_with_its_runs() -> None:
    nodes = {"prep": sdk_job(None, None), "train": sdk_job(None, None)}
    jobs = FakeJobs({"p": [sdk_job("p", "Running", type="pipeline", jobs=nodes)]})
    jobs.children["p"] = [[sdk_job("r1", "Completed", display_name="prep"), None]]
    history = FakeHistory()
    info = operations(jobs, history=history).get("p")
    assert [(c.step, c.name, c.status.value) for c in info.children] == [
        ("prep", "r1", "Completed"),
        ("train", "train", "NotStarted"),
    ]
    assert history.looked_at == ["r1", "p"]


def test_a_job_that_nothing_is_known_of() -> None:
    jobs = FakeJobs()
    jobs.error = ResourceNotFoundError("no such run")
    with pytest.raises(NotFoundError, match="could not get job 'x'"):
        operations(jobs).get("x")


def test_no_sign_in() -> None:
    jobs = FakeJobs()
    jobs.error = ClientAuthenticationError("DefaultAzureCredential failed ...")
    with pytest.raises(TargetError) as caught:
        operations(jobs).list()
    assert "az login" in caught.value.hint


def test_lists_leave_out_what_the_sdk_cannot_read() -> None:
    jobs = FakeJobs()
    jobs.listed = [sdk_job("a"), None, sdk_job("b"), sdk_job("c")]
    found = operations(jobs).list(max_results=2, list_view_type="All")
    assert [job.name for job in found] == ["a", "b"]
    assert jobs.calls == [("list", None, "All")]


def test_cancelling_waits_for_the_end() -> None:
    jobs = FakeJobs({"n": [sdk_job("n", "CancelRequested"), sdk_job("n", "Canceled")]})
    waits: list[int] = []
    info = operations(jobs, wait=lambda: waits.append(1)).cancel("n")
    assert info.status is JobStatus.CANCELED
    assert jobs.poller.waited
    assert waits == [1]


def test_download(tmp_path: Path) -> None:
    jobs = FakeJobs()
    where = operations(jobs).download("n", download_path=tmp_path, output_name="model")
    assert where == tmp_path
    options = {"download_path": tmp_path, "output_name": "model", "all": False}
    assert jobs.calls == [("download", "n", options)]


def test_archive_and_restore() -> None:
    jobs = FakeJobs()
    operations(jobs).archive("n")
    operations(jobs).restore("n")
    assert jobs.calls == [("archive", "n"), ("restore", "n")]
