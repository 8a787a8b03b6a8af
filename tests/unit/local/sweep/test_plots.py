from __future__ import annotations

from pathlib import Path

import pytest

from amlocal.local.sweep.plots import draw, importances
from amlocal.plan import (
    Choice,
    JobInfo,
    JobStatus,
    Objective,
    Scalar,
    Sweep,
    TrialInfo,
    Uniform,
)

SWEEP = Sweep(
    search_space={
        "rate": Uniform(min_value=-5, max_value=0, is_log=True),
        "kind": Choice(values=("a", "b")),
    },
    objective=Objective(goal="minimize", primary_metric="loss"),
)
PNG = b"\x89PNG\r\n\x1a\n"


def trial(
    number: int, value: float | None, status: JobStatus = JobStatus.COMPLETED, **given: Scalar
) -> JobInfo:
    parameters: dict[str, Scalar] = {"rate": 0.1, "kind": "a", **given}
    return JobInfo(
        name=f"t_{number}",
        type="command",
        status=status,
        trial=TrialInfo(number=number, parameters=parameters, value=value),
    )


def infos(trials: list[JobInfo]) -> list[TrialInfo]:
    return [info.trial for info in trials if info.trial is not None]


def varied(count: int) -> list[JobInfo]:
    """Trials whose metric is their rate's, and has nothing to do with their kind."""
    return [trial(n, n / count, rate=0.001 * (n + 1), kind="ab"[n // 2 % 2]) for n in range(count)]


def test_three_pictures_are_drawn(tmp_path: Path) -> None:
    trials = [*varied(12), trial(12, 0.7, JobStatus.CANCELED), trial(13, None, JobStatus.FAILED)]
    assert draw(SWEEP, trials, tmp_path / "plots")
    found = sorted((tmp_path / "plots").iterdir())
    names = ["history.png", "importance.png", "parallel_coordinates.png"]
    assert [file.name for file in found] == names
    assert all(file.read_bytes().startswith(PNG) for file in found)


@pytest.mark.parametrize(
    ("trials", "names"),
    [
        ([trial(0, 0.5)], []),
        ([trial(0, None), trial(1, 0.5), trial(2, 0.1, JobStatus.FAILED)], []),
        ([trial(0, 0.5), trial(1, 0.6)], ["history.png"]),
        (varied(3), ["history.png", "parallel_coordinates.png"]),
        (
            [trial(n, 0.5, rate=0.1 + n, kind="ab"[n % 2]) for n in range(8)],
            ["history.png", "parallel_coordinates.png"],
        ),
    ],
    ids=["one", "one-completed", "nothing-varied", "too-few-to-tell", "all-the-same"],
)
def test_what_tells_nothing_is_not_drawn(
    tmp_path: Path, trials: list[JobInfo], names: list[str]
) -> None:
    assert draw(SWEEP, trials, tmp_path / "plots") is bool(names)
    assert sorted(file.name for file in tmp_path.glob("plots/*")) == names


def test_the_parameter_that_decides_is_the_important_one() -> None:
    shares = importances(SWEEP, infos(varied(40)))
    assert list(shares) == ["rate", "kind"]
    assert shares["rate"] > 0.9
    assert shares["kind"] < 0.05


def test_a_choice_that_decides_is_important() -> None:
    trials = [
        trial(n, float(n % 2), rate=0.01 * (n * 7 % 20 + 1), kind="ab"[n % 2]) for n in range(20)
    ]
    shares = importances(SWEEP, infos(trials))
    assert shares["kind"] == pytest.approx(1.0)
    assert next(iter(shares)) == "kind"
