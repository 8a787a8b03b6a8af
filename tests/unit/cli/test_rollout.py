"""`aml online-deployment rollout` over a scripted endpoint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.cli.fakes import aml, terminal, written
from tests.unit.rollout.fakes import Behaviour, World

from amlocal.cli.rollout_table import StageTable, figures
from amlocal.client import load_rollout
from amlocal.plan import StageResult, Verdict

POLICY = """\
endpoint_name: adult
deployment_name: green
stages:
  - {shadow: 20, duration: 0, minimum_requests: 50}
  - {traffic: 100, duration: 0, minimum_requests: 50}
rules:
  error_rate: {maximum: 0.02, maximum_increase: 0.05}
  latency:
    - {percentile: 95, maximum_ratio: 1.5}
  agreement: {minimum: 0.95}
"""


@pytest.fixture
def policy(tmp_path: Path) -> str:
    file = tmp_path / "rollout.yml"
    file.write_text(POLICY)
    return str(file)


def world(**behaviours: Behaviour) -> World:
    """Return an endpoint that gets 1000 requests between two looks."""
    found = World(**behaviours)
    found.seconds_a_reading = 10
    return found


def interrupted() -> World:
    """Return an endpoint whose rollout gets Ctrl-C in its first stage."""
    target = world()

    def interrupt(now: float) -> None:
        if target.history:
            raise KeyboardInterrupt

    target.happens = interrupt
    return target


def test_a_rollout_prints_a_row_a_stage_and_its_end(policy: str) -> None:
    argv = ["online-deployment", "rollout", "-f", policy]
    done = aml(*argv, client=world(), tty=True, environ={"COLUMNS": "100"})
    assert done.code == 0, done.err
    lines = [line.rpartition("\r\x1b[K")[2] for line in done.out.strip("\n").split("\n")]
    head, shadow, full, end, back = lines
    assert head.split() == [*("Stage", "Requests", "Errors", "P95", "Agreement", "Time", "Outcome")]
    assert shadow.split()[:6] == ["shadow", "20", "%", "200", "0.0%,", "0.0%"]
    assert shadow.endswith("✓ passed")
    assert full.startswith("traffic 100 %")
    assert end == "✓ Completed  adult  traffic: green 100 %"
    assert back == "  to go back: aml online-deployment rollout --to blue -e adult"


@pytest.mark.parametrize(
    ("columns", "heads"),
    [
        ("80", ["Stage", "Requests", "Errors", "P95", "Agreement", "Outcome"]),
        ("60", ["Stage", "Errors", "P95", "Outcome"]),
    ],
)
def test_a_narrow_terminal_gets_fewer_columns(policy: str, columns: str, heads: list[str]) -> None:
    argv = ["online-deployment", "rollout", "-f", policy]
    done = aml(*argv, client=world(), tty=True, environ={"COLUMNS": columns})
    head, *rows = [line.rpartition("\r\x1b[K")[2] for line in done.out.split("\n")[:3]]
    assert head.split() == heads
    assert max(len(line) for line in [head, *rows]) <= int(columns)


def test_a_return_is_exit_code_1_with_each_verdict_as_json(policy: str) -> None:
    target = world(green=Behaviour(failing=0.3))
    done = aml("online-deployment", "rollout", "-f", policy, client=target)
    assert done.code == 1
    result = json.loads(done.out)
    assert (result["outcome"], result["traffic"]) == ("returned", {"blue": 100})
    (stage,) = result["stages"]
    assert (stage["stage"], stage["outcome"]) == ("shadow 20 %", "breached")
    errors = stage["verdicts"][0]
    assert (errors["rule"], errors["outcome"]) == ("error rate", "breached")
    assert (errors["value"], errors["limit"], errors["requests"]) == (0.3, 0.02, 200)
    # What people read is on stderr, without a line that is drawn over.
    assert "-- stage 1 of 2: shadow 20 %" in done.err
    assert "✗ breached" in done.err
    assert "\r" not in done.err


def test_a_terminal_tells_why_it_returned(policy: str) -> None:
    target = world(green=Behaviour(agreeing=0.5))
    done = aml("online-deployment", "rollout", "-f", policy, client=target, tty=True)
    assert done.code == 1
    end, why = done.out.splitlines()[-2:]
    assert end == "✗ Returned  adult  traffic: blue 100 %"
    assert why.startswith("  shadow 20 %: agreement: 100 of 200 answers were the same: 50.00%")


def test_the_table_option_has_a_row_a_stage(policy: str) -> None:
    done = aml("online-deployment", "rollout", "-f", policy, "-o", "table", client=world())
    assert [line.split()[0] for line in done.out.splitlines()] == [
        *("Stage", "-------------", "shadow", "traffic")
    ]


def test_ctrl_c_leaves_the_endpoint_and_says_how_to_go_on(policy: str) -> None:
    target = interrupted()
    done = aml("online-deployment", "rollout", "-f", policy, client=target)
    assert done.code == 130
    assert f"rollout -f {policy} --resume` goes on, --abort returns" in done.err
    target.happens = lambda _: None
    again = aml("online-deployment", "rollout", "-f", policy, client=target)
    assert again.code == 2
    assert "a rollout to 'green' is at stage 1" in again.err
    resumed = aml("online-deployment", "rollout", "-f", policy, "--resume", client=target)
    assert resumed.code == 0
    assert json.loads(resumed.out)["outcome"] == "completed"


def test_abort_returns_by_the_policys_endpoint_or_by_its_name(policy: str) -> None:
    for flags in (["-f", policy], ["-e", "adult"]):
        target = interrupted()
        aml("online-deployment", "rollout", "-f", policy, client=target)
        done = aml("online-deployment", "rollout", "--abort", *flags, client=target)
        assert done.code == 0, done.err
        assert json.loads(done.out)["mirror_traffic"] == {"green": 0}


def test_to_gives_all_traffic_at_once() -> None:
    target = world()
    done = aml("online-deployment", "rollout", "--to", "green", "-e", "adult", client=target)
    assert done.code == 0
    assert json.loads(done.out)["traffic"] == {"blue": 0, "green": 100}
    shown = aml(
        "online-deployment", "rollout", "--to", "blue", "-e", "adult", client=target, tty=True
    )
    assert "100 %" in shown.out
    target.online_deployments.fail("green", "it crashed")
    refused = aml("online-deployment", "rollout", "--to", "green", "-e", "adult", client=target)
    assert (refused.code, "it crashed" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "no policy is given"),
        (["--to", "blue"], "no endpoint is named"),
        (["--to", "blue", "--abort"], "not allowed with"),
        (["-f", "nowhere.yml"], "there is no such file"),
        (["-f", "x.yml", "--dry-run", "--target", "azure"], "it has no dry run"),
    ],
)
def test_what_a_line_lacks_is_told(flags: list[str], message: str) -> None:
    done = aml("online-deployment", "rollout", *flags, client=world())
    assert done.code == 2
    assert message in done.err


def test_on_azure_a_policy_needs_probes_for_what_the_monitor_does_not_tell(policy: str) -> None:
    target = world().monitored()
    done = aml("online-deployment", "rollout", "-f", policy, "--target", "azure", client=target)
    assert done.code == 2
    assert "nothing measures the latency" in done.err
    assert "probes:" in done.err


def test_the_present_stage_is_drawn_over_on_a_live_terminal_and_cut_to_it(policy: str) -> None:
    for width in (40, 120):
        term = terminal(width=width, NO_COLOR="1")
        with StageTable(term, load_rollout(policy), quiet=False) as table:
            table.stage_started(load_rollout(policy).stages[0], 1, 2)
            table.looked(61, 77, ())
            table.stage_ended(
                StageResult(stage="shadow 20 %", outcome="stopped", seconds=62, requests=80)
            )
        drawn = written(term).split("\r\x1b[K")[1]
        assert drawn.startswith("shadow 20 %")
        assert len(drawn) < width
        assert written(term).splitlines()[-1].endswith("⊘ stopped")


def test_a_wide_figure_is_not_glued_to_the_next_one(policy: str) -> None:
    slow = Verdict(
        rule="p95 latency", outcome="breached", limit=1.5, value=12.3456, reference=10.9876
    )
    agreed = Verdict(rule="agreement", outcome="passed", limit=0.9, value=0.987)
    with StageTable(terminal(width=200), load_rollout(policy), quiet=False) as table:
        table.stage_started(load_rollout(policy).stages[0], 1, 2)
        table.stage_ended(
            StageResult(
                stage="shadow",
                outcome="breached",
                seconds=62,
                requests=80,
                verdicts=(slow, agreed),
            )
        )
        row = written(table._terminal).splitlines()[-1]
    assert "12345.6 ms, 10987.6 ms  98.7%  " in row


def test_nothing_is_written_where_only_errors_are_asked_for(policy: str) -> None:
    done = aml("online-deployment", "rollout", "-f", policy, "--only-show-errors", client=world())
    assert (done.code, done.err) == (0, "")


def test_a_figure_stands_beside_the_old_ones() -> None:
    latency = Verdict(
        rule="p95 latency", outcome="passed", limit=1.5, value=0.0121, reference=0.0115
    )
    assert figures(latency) == "12.1 ms, 11.5 ms"
    assert figures(Verdict(rule="agreement", outcome="passed", limit=0.9, value=0.987)) == "98.7%"
    assert figures(Verdict(rule="agreement", outcome="unclear", limit=0.9)) == "?"
