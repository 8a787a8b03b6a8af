"""What is told while a deployment is made."""

from __future__ import annotations

import pytest
from tests.unit.cli.endpoint_fakes import SHADOW
from tests.unit.cli.fakes import FakeLocalClient, aml

ARGV = ["online-deployment", "create", "-f", "b.yml", "-n", "shadow", "-e", "adult"]


def busy() -> FakeLocalClient:
    client = FakeLocalClient()
    client.online_deployments.deployments = [SHADOW]
    client.online_deployments.looks = 1
    return client


def test_a_terminal_shows_state_time_and_last_log_line() -> None:
    outcome = aml(*ARGV, client=busy(), tty=True)
    drawn = outcome.err.split("\r\x1b[K")
    assert drawn[1] == "● Creating  deployment adult/shadow  0:00  loaded adult:3"
    assert drawn[-1] == ""  # what was drawn is taken away again
    assert outcome.out.startswith("● Creating  shadow")


def test_a_narrow_terminal_gets_one_line() -> None:
    outcome = aml(*ARGV, client=busy(), tty=True, environ={"COLUMNS": "40"})
    assert max(len(line) for line in outcome.err.split("\r\x1b[K")) == 39


def test_elsewhere_a_state_is_a_line() -> None:
    outcome = aml(*ARGV, client=busy())
    assert outcome.err == "-- deployment adult/shadow: Creating\n"
    outcome = aml(*ARGV, "--only-show-errors", client=busy())
    assert outcome.err == ""


@pytest.mark.parametrize("tty", [True, False])
def test_ctrl_c_leaves_it_going(tty: bool) -> None:
    client = busy()
    client.online_deployments.interrupt = True
    outcome = aml(*ARGV, client=client, tty=tty)
    assert (outcome.code, outcome.out) == (130, "")
    assert "deployment adult/shadow goes on" in outcome.err
    assert "aml online-deployment show -n shadow -e adult" in outcome.err


def test_what_cannot_be_looked_at_is_waited_for() -> None:
    client = busy()
    argv = ["online-deployment", "create", "-f", "b.yml"]  # a file without names, to the command
    outcome = aml(*argv, client=client, tty=True)
    assert outcome.code == 0
    assert "● Sending  the deployment  0:00" in outcome.err


def test_nobody_waits() -> None:
    outcome = aml(*ARGV, "--no-wait", client=busy(), tty=True)
    assert outcome.err == ""
    assert "aml online-deployment show -n shadow -e adult" in outcome.out
    assert aml(*ARGV, "--no-wait", client=busy()).out == ""
