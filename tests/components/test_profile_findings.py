"""What is said of made-up measurements: no process is started, and no time passes."""

from __future__ import annotations

import numpy as np
import pytest
from profile_figures import figures
from profile_findings import conclusion, sections
from profile_load import Load, arrivals
from profile_memory import Soak, judge
from profile_plots import draw_all
from profile_report import report, rows_of
from profile_results import Options, Profile, Rival, Serving, Timing
from profile_saturation import climb, size
from profile_timing import in_rounds, slow_calls, throughput
from tests.components.profile_fakes import FakeCaller, FakeClock

from stepkit.figures import mlflow_metrics
from stepkit.findings import read_findings, write_findings

CALLS = np.arange(1, 61) * 100.0


def serving(clock: FakeClock, wanted: float) -> Serving:
    """Load a made-up server that answers up to 100 requests a second."""

    def offer(rate: float, seconds: float) -> Load:
        due = arrivals(rate, seconds, 1)
        answered = np.empty(len(due))
        free = 0.0
        for place, moment in enumerate(due):
            free = max(free, moment) + 0.01
            answered[place] = free
        clock.now += seconds
        return Load(due, due, answered, np.full(len(due), 200.0))

    found = climb(offer, 0.01, 40.0, clock=clock)
    return Serving(3.0, 0.01, found, 250.0, 9.0, size(found, wanted, 0.0))


def made_up(
    *,
    taken=lambda rows, _: 0.01 + rows * 1e-5,
    waited: float = 0.0,
    mb=lambda calls: 300 + 0 * calls,
    served: bool = True,
    rival: bool = True,
    not_served: str = "",
) -> Profile:
    clock = FakeClock()
    ours = FakeCaller(clock, taken, waited=waited)
    callers = [ours, FakeCaller(clock, lambda rows, n: 2 * taken(rows, n), waited=waited)]
    row = in_rounds(callers, 1, 16.0, enough=400, clock=clock)
    batch = in_rounds(callers, 100, 4.0, clock=clock)
    champion = Rival("7", row[1], batch[1], 3.5, 2_000_000) if rival else None
    rates = throughput({1: ours, 2: ours}, (1, 10, 100), 2.0, clock=clock)
    soak = Soak(CALLS, mb(CALLS), 400.0)
    return Profile(
        options=Options(20.0, (1, 2), 100, serve=served),
        rows=1000,
        size_bytes=500_000,
        starts=[3.0, 2.0, 4.0],
        timing=Timing([3.0], 0.1, 0.05, row[0], batch[0], rates, champion),
        slow=slow_calls(row[0].own),
        soak=soak,
        growth=judge(soak),
        serving=serving(clock, 250.0) if served else None,
        not_served=not_served,
    )


def test_a_sound_model_is_good_throughout(tmp_path) -> None:
    found = made_up()
    parts = sections(found)
    assert [each.verdict for each in parts] == ["good", "", "good", "good"]
    write_findings(tmp_path, "profile", parts)
    kinds = [
        block["kind"] for part in read_findings(tmp_path)["sections"] for block in part["blocks"]
    ]
    assert kinds.count("chart") == 4
    made = figures(found)
    line = conclusion(found, made)
    assert line.startswith("one row 10 ms")
    assert "0.50 times the champion's" in line
    assert "instances: 4" in line
    text = report(parts, made, line, draw_all(found, tmp_path))
    assert "## Start and memory (good)" in text
    assert "![Latency over the rate at which requests arrive.](serving.png)" in text


def test_figures_are_in_the_units_that_they_name() -> None:
    found = {(each.name, each.cohort): each for each in figures(made_up())}
    row = found["latency_row_p50_ms", ""]
    assert row.value == pytest.approx(10.01)
    assert (row.unit, row.better) == ("ms", "less")
    assert row.low <= row.value <= row.high
    assert row.against.value == pytest.approx(20.02)
    assert row.against.difference == pytest.approx(-10.01)
    assert row.against.low <= row.against.difference <= row.against.high
    assert found["latency_row_ratio", ""].value == pytest.approx(0.5)
    assert found["latency_batch_p50_ms", ""].value == pytest.approx(11)
    assert found["cpu_s_per_1000", ""].value == pytest.approx(10.01)
    assert found["cpu_s_per_1000", "batch=100"].value == pytest.approx(0.11)
    assert found["throughput_rows_s", ""].value == pytest.approx(100 / 0.011)
    assert found["throughput_rows_s", ""].better == "more"
    assert found["cold_load_s", ""].value == 3
    assert found["cold_load_s", ""].against.difference == -0.5
    assert found["cold_import_s", ""].value == pytest.approx(2.9)
    assert found["model_size_mb", ""].value == 0.5
    assert found["model_size_mb", ""].against.difference == -1.5
    assert found["peak_memory_mb", ""].value == 400
    assert found["memory_slope_mb_per_1000", ""].value == 0
    assert found["memory_leak", ""].value == 0
    saturation = found["saturation_rps", ""]
    assert saturation.low <= saturation.value <= 105
    assert saturation.high >= 95


def test_without_a_champion_nothing_is_against_it() -> None:
    made = figures(made_up(rival=False))
    assert all(each.against is None for each in made)
    assert not {"latency_row_ratio", "latency_batch_ratio"} & {each.name for each in made}


def test_metrics_have_names_that_mlflow_takes() -> None:
    made = figures(made_up())
    found = mlflow_metrics(made)
    assert found["cpu_s_per_1000.batch_100"] == pytest.approx(0.11)
    assert len(found) == len([each for each in made if each.value is not None])
    assert len(rows_of(made)) == len(made)


def test_slow_calls_are_bad() -> None:
    found = made_up(taken=lambda rows, call: 0.2 if call % 100 == 50 else 0.01)
    assert sections(found)[0].verdict == "bad"
    assert "it is the model" in " ".join(sections(found)[0].words)
    assert conclusion(found, figures(found)).startswith("SLOW CALLS: ")


def test_a_leak_is_bad() -> None:
    found = made_up(mb=lambda calls: 300 + calls / 100)
    memory = sections(found)[2]
    assert memory.verdict == "bad"
    assert "grows by 10 MB with every 1,000 predictions" in memory.words[1]
    assert conclusion(found, figures(found)).startswith("MEMORY LEAK: 10 MB per 1,000 calls; ")


def test_a_busy_machine_is_named_and_not_blamed_on_the_model() -> None:
    # It gets slower and slower, while the calls wait for a core now and then.
    found = made_up(taken=lambda rows, call: 0.01 + 1e-5 * call, waited=0.002)
    words = " ".join(sections(found)[0].words)
    assert "waited" in words
    assert "busy machine" in conclusion(found, figures(found))
    assert sections(found)[0].verdict == "good"


def test_an_unsteady_model_is_a_warning() -> None:
    found = made_up(taken=lambda rows, call: 0.01 + 2e-5 * call)
    assert sections(found)[0].verdict == "warning"


@pytest.mark.parametrize(
    "measured", [{"waited": 0.008}, {"taken": lambda rows, _: 1.0 * rows}], ids=["busy", "few"]
)
def test_what_cannot_be_told_is_not_good(measured: dict) -> None:
    assert sections(made_up(served=False, **measured))[0].verdict == "warning"


def test_what_was_not_asked_for_is_left_out() -> None:
    found = made_up(served=False)
    assert len(sections(found)) == 3
    assert "saturation_rps" not in {each.name for each in figures(found)}


def test_a_model_that_was_not_served_is_bad() -> None:
    found = made_up(served=False, not_served="the scoring server ended: no such package")
    last = sections(found)[-1]
    assert last.verdict == "bad"
    assert "no such package" in last.words[0]
