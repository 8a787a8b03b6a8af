from __future__ import annotations

from pathlib import Path

import pytest
from tests.lab import Lab, children, command, pipeline, step

from amlocal.errors import NotFoundError, TargetError, UsageError
from amlocal.plan import Output


def test_download_lays_files_out_as_az_does(lab: Lab, tmp_path: Path) -> None:
    line = "echo said; echo m > ${{outputs.model}}/m; echo x > outputs/x; echo l > logs/l"
    outputs = {"model": Output(), "file": Output(type="uri_file")}
    job = lab.run(command(f"{line}; echo f > ${{{{outputs.file}}}}", outputs=outputs))
    jobs = lab.client.jobs

    def files(folder: Path) -> dict[str, str]:
        return {
            path.relative_to(folder).as_posix(): path.read_text()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    artifacts = {
        "artifacts/logs/l": "l\n",
        "artifacts/outputs/x": "x\n",
        "artifacts/user_logs/std_log.txt": "said\n",
    }
    folder = jobs.download(job.name, download_path=tmp_path / "a")
    assert folder == tmp_path / "a" / job.name
    assert files(folder) == artifacts
    assert files(jobs.download(job.name, download_path=tmp_path / "b", output_name="model")) == {
        "named-outputs/model/m": "m\n"
    }
    assert files(jobs.download(job.name, download_path=tmp_path / "c", all=True)) == {
        **artifacts,
        "named-outputs/file/file": "f\n",
        "named-outputs/model/m": "m\n",
    }


def test_a_pipelines_artifacts_are_those_of_its_steps(lab: Lab, tmp_path: Path) -> None:
    plan = pipeline(step("a", "echo a; echo x > outputs/x"))
    for folder in (tmp_path / "ran", tmp_path / "reused"):
        job = lab.run(plan)
        place = lab.client.jobs.download(job.name, download_path=folder) / "artifacts" / "a"
        assert (place / "outputs" / "x").read_text() == "x\n"
        assert (place / "user_logs" / "std_log.txt").read_text() == "a\n"
    assert children(job)["a"].reused_from


def test_download_needs_a_job_that_is_over_and_an_output(lab: Lab, tmp_path: Path) -> None:
    lab.start(command("echo up; sleep 300"), name="fig")
    with pytest.raises(UsageError, match="the job fig is "):
        lab.client.jobs.download("fig", download_path=tmp_path)
    lab.client.jobs.cancel("fig")
    with pytest.raises(NotFoundError, match="no output named 'model'"):
        lab.client.jobs.download("fig", download_path=tmp_path, output_name="model")


def test_a_place_that_refuses_is_an_error(lab: Lab) -> None:
    job = lab.run(command("echo x > outputs/x"))
    with pytest.raises(TargetError, match="/proc"):
        lab.client.jobs.download(job.name, download_path=Path("/proc"))
