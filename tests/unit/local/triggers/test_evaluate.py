"""Which events start a job, which are held back and why, and that each is handled once."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from tests.unit.local.triggers.conftest import Site, open_site

from amlocal.errors import NotFoundError, SpecError, TargetError, UsageError
from amlocal.local.triggers.events import events_after, record
from amlocal.plan import JobStatus


def drift(site: Site, monitor: str = "weekly", key: str = "1") -> int:
    database = site.triggers.records.database
    return record(database, "drift", monitor, {"signal": "data_drift", "value": 0.4}, key).id


def test_what_is_there_at_first_is_not_new(site: Site) -> None:
    site.put("a.csv", "x\n1\n")
    site.trigger()
    assert site.evaluate() == []
    assert site.triggers.events() == []


def test_a_new_file_starts_one_job(site: Site) -> None:
    site.put("a.csv", "x\n1\n")
    site.trigger(inputs={"data": {"path": "${{event.path}}"}, "number": "${{event.id}}"})
    site.put("b.csv", "x\n1\n")
    assert site.outcomes() == [("fired", "retrain_1")]
    assert site.evaluate() == []
    given = site.jobs.given["retrain_1"]
    assert f'inputs.data.path="{site.incoming}"' in given
    assert "inputs.number=1" in given
    assert {"tags.trigger=retrain", "tags.event=1", "tags.event_type=new_data"} <= set(given)


def test_changed_data_are_new_and_removed_data_are_not(site: Site) -> None:
    site.put("a.csv", "x\n1\n")
    site.put("b.csv", "x\n1\n")
    site.trigger(one_run_at_a_time=False)
    (site.incoming / "b.csv").unlink()
    assert site.evaluate() == []
    site.put("a.csv", "x\n2\n")
    assert site.outcomes() == [("fired", "retrain_1")]
    site.put("a.csv", "x\n1\n")
    assert site.outcomes() == [("fired", "retrain_2")], "what comes back is new once more"


def test_a_folder_may_come_later_and_hidden_files_do_not_count(site: Site) -> None:
    site.trigger()
    site.put("_SUCCESS", "")
    site.put(".part/a.csv", "x\n")
    assert site.evaluate() == []
    site.put("a.csv", "x\n1\n")
    assert site.outcomes() == [("fired", "retrain_1")]


def test_data_that_are_being_written_wait(site: Site) -> None:
    site.put("a.csv", "x\n1\n")
    site.trigger(settled_for=5)
    changed = site.put("b.csv", "x\n1\n").stat().st_mtime
    site.now = changed
    why = "data is being written: it must be settled for 5 s"
    assert site.outcomes(1) == [("held", why)]
    assert site.outcomes(1) == [], "it is told once"
    assert site.triggers.events() == []
    assert site.outcomes(9) == [("fired", "retrain_1")]


def test_one_run_at_a_time(site: Site) -> None:
    site.trigger("drift", monitor="weekly", inputs={"by": "${{event.monitor}} at ${{event.value}}"})
    drift(site, key="1")
    assert site.outcomes() == [("fired", "retrain_1")]
    assert 'inputs.by="weekly at 0.4"' in site.jobs.given["retrain_1"]
    drift(site, key="2")
    assert site.outcomes() == [("held", "the run retrain_1 has not ended")]
    assert site.outcomes() == []
    site.jobs.end("retrain_1")
    assert site.outcomes() == [("fired", "retrain_2")]


def test_the_newest_event_stands_for_those_before_it(site: Site) -> None:
    site.trigger("drift", monitor="weekly")
    for key in ("1", "2", "3"):
        drift(site, key=key)
    assert site.outcomes() == [("fired", "retrain_3")]
    told = {each.event: (each.outcome, each.reason) for each in site.triggers.log("retrain")}
    assert told[1] == told[2] == ("superseded", "event 3 is newer")
    site.jobs.end("retrain_3")
    assert site.evaluate() == []


def test_a_cool_down_holds_back(site: Site) -> None:
    site.trigger("drift", monitor="weekly", cool_down=3600)
    drift(site, key="1")
    site.evaluate()
    site.jobs.end("retrain_1")
    drift(site, key="2")
    ((outcome, reason),) = site.outcomes()
    assert (outcome, reason[:15]) == ("held", "cool-down until")
    assert site.outcomes(3580) == []
    assert site.outcomes(10) == [("fired", "retrain_2")]


def test_rows_are_gathered_until_there_are_enough(site: Site) -> None:
    site.put("a.csv", "x\n1\n")
    site.trigger(minimum_rows=3)
    site.put("b.csv", "x\n1\n2\n")
    assert site.outcomes() == [("held", "2 new rows of 3")]
    site.put("a.csv", "x\n1\n2\n")  # one more
    assert site.outcomes() == [("fired", "retrain_2")]
    site.jobs.end("retrain_2")
    site.put("c.csv", "x\n1\n")
    assert site.outcomes() == [("held", "1 new rows of 3")]


def test_new_versions_of_a_data_asset(site: Site) -> None:
    data = site.put("a.csv", "x\n1\n2\n")
    site.register_data("adult", data)
    site.trigger(path="azureml:adult", minimum_rows=2, inputs={"version": "${{event.version}}"})
    assert site.evaluate() == []
    site.register_data("adult", data)
    site.register_data("other", data)
    assert site.outcomes() == [("fired", "retrain_1")]
    assert 'inputs.version="2"' in site.jobs.given["retrain_1"]
    (event,) = site.triggers.events()
    assert (event.detail["path"], event.source) == ("azureml:adult:2", "azureml:adult")


def test_new_versions_of_a_model(site: Site) -> None:
    site.trigger("new_model_version", model="adult")
    assert site.evaluate() == []
    site.registry.parent.mkdir()
    with sqlite3.connect(site.registry) as registry:
        registry.execute("CREATE TABLE model_versions (name, version INTEGER, current_stage)")
        registry.execute("INSERT INTO model_versions VALUES ('adult', 1, 'None')")
        registry.execute("INSERT INTO model_versions VALUES ('other', 7, 'None')")
    registry.close()
    assert site.outcomes() == [("fired", "retrain_1")]
    (event,) = site.triggers.events()
    assert event.detail == {"path": "azureml:adult:1", "model": "adult", "version": "1"}


def test_only_the_monitor_that_is_named_counts(site: Site) -> None:
    site.trigger("drift", monitor="weekly")
    site.trigger("drift", name="any")
    drift(site, "daily")
    assert site.outcomes() == [("fired", "any_1")]


def test_events_from_before_a_trigger_are_not_its_own(site: Site) -> None:
    drift(site, key="1")
    site.trigger("drift")
    assert site.evaluate() == []
    site.triggers.disable("retrain")
    drift(site, key="2")
    assert site.evaluate() == []
    site.triggers.enable("retrain")
    assert site.evaluate() == []
    drift(site, key="3")
    assert site.outcomes() == [("fired", "retrain_3")]


def test_data_that_came_while_a_trigger_was_disabled_is_not_new_to_it(site: Site) -> None:
    site.put("a.csv", "x\n1\n")
    site.trigger(minimum_rows=1)
    site.trigger(name="other")
    site.triggers.disable("retrain")
    site.put("b.csv", "x\n1\n")
    site.triggers.enable("retrain")
    assert site.outcomes() == [("fired", "other_1")]


def test_a_run_on_demand_is_held_back_by_a_run_alone(site: Site) -> None:
    site.put("a.csv", "x\n1\n")
    site.trigger(cool_down=3600, minimum_rows=1000, inputs={"data": {"path": "${{event.path}}"}})
    site.triggers.disable("retrain")
    site.triggers.run_now("retrain", {"reason": "a correction"})
    site.triggers.run_now("retrain")
    assert site.outcomes() == [("fired", "retrain_1")]
    assert site.outcomes() == [("held", "the run retrain_1 has not ended")]
    site.jobs.end("retrain_1")
    assert site.outcomes() == [("fired", "retrain_2")], "each that is asked for runs"
    assert f'inputs.data.path="{site.incoming}"' in site.jobs.given["retrain_1"]
    assert site.triggers.log()[-1].reason == "a correction"


def test_a_run_on_demand_must_be_told_what_its_job_needs(site: Site) -> None:
    site.trigger("drift", inputs={"signal": "${{event.signal}}"})
    with pytest.raises(UsageError, match=r"\$\{\{event.signal\}\} of trigger retrain has no value"):
        site.triggers.run_now("retrain")
    assert site.triggers.events() == []
    site.triggers.run_now("retrain", {"signal": "data_drift"})
    assert site.outcomes() == [("fired", "retrain_1")]
    assert 'inputs.signal="data_drift"' in site.jobs.given["retrain_1"]


def test_a_wrong_job_fails_once(site: Site) -> None:
    site.trigger("drift")
    drift(site)
    site.jobs.failing.append(SpecError([]))
    assert [each.outcome for each in site.evaluate()] == ["failed"]
    assert site.evaluate() == []


def test_what_the_machine_refuses_is_tried_again(site: Site) -> None:
    site.put("a.csv", "x\n1\n")
    site.trigger(minimum_rows=1)
    site.put("b.csv", "x\n1\n")
    site.jobs.failing.append(TargetError("no space left"))
    assert site.outcomes() == [("held", "no space left")]
    assert site.outcomes() == [("fired", "retrain_1")]


def test_data_that_cannot_be_read_hold_their_trigger_back_and_no_other(site: Site) -> None:
    site.trigger(name="a", minimum_rows=1)
    site.trigger("drift", name="b")
    site.put("a.parquet", "no table")
    drift(site)
    told = {each.trigger: each for each in site.evaluate()}
    assert told["a"].outcome == "held"
    assert f"the rows of {site.incoming}/a.parquet cannot be counted" in told["a"].reason
    assert told["b"].outcome == "fired"


def test_a_trigger_whose_place_cannot_be_found_is_not_made(site: Site) -> None:
    with pytest.raises(TargetError, match="is not on this machine"):
        site.trigger(path="https://example.org/data/")
    assert site.triggers.list() == []


def test_a_dry_run_tells_and_changes_nothing(site: Site) -> None:
    site.put("a.csv", "x\n1\n")
    site.trigger(minimum_rows=2)
    site.put("b.csv", "x\n1\n")
    for _ in range(2):
        (told,) = site.triggers.evaluate(site.now, dry_run=True)
        assert (told.outcome, told.reason, told.event) == ("held", "1 new rows of 2", 0)
    site.put("c.csv", "x\n1\n")
    (told,) = site.triggers.evaluate(site.now, dry_run=True)
    assert (told.outcome, told.reason) == ("fired", f"new_data: {site.incoming}")
    assert site.triggers.events() == []
    assert site.triggers.log() == []
    assert site.jobs.given == {}


class Killed(BaseException):
    """The evaluation ends here."""


def test_a_kill_after_the_job_was_made_does_not_make_another(site: Site) -> None:
    site.trigger("drift")
    drift(site)
    site.jobs.dying.append(Killed())
    with pytest.raises(Killed):
        site.evaluate()
    again = open_site(site.folder)
    # It is there, and may have lost its engine: who mends it has not written that yet.
    assert again.evaluate() == []
    again.jobs.end("retrain_1", status=JobStatus.RUNNING, end_time="")
    assert again.outcomes() == [("fired", "retrain_1")]
    assert [job.name for job in again.jobs.records.list()] == ["retrain_1"]
    assert again.evaluate() == []


def test_while_it_is_not_known_whether_a_job_began_no_other_starts(site: Site) -> None:
    site.trigger("drift", one_run_at_a_time=True)
    drift(site)
    site.jobs.dying.append(Killed())
    with pytest.raises(Killed):
        site.evaluate()
    drift(site, key="2")
    again = open_site(site.folder)
    assert [outcome for outcome, _ in again.outcomes()] == ["held"]
    assert [job.name for job in again.jobs.records.list()] == ["retrain_1"]


def test_a_job_that_never_began_is_made_again(site: Site) -> None:
    site.trigger("drift")
    drift(site)
    site.jobs.dying.append(Killed())
    with pytest.raises(Killed):
        site.evaluate()
    lost = {"status": JobStatus.FAILED, "error_code": "SystemError"}
    site.jobs.end("retrain_1", **lost, start_time="", end_time="x")
    assert site.outcomes() == [("fired", "retrain_1_2")]
    assert site.triggers.get("retrain").last_job == "retrain_1_2"
    assert site.evaluate() == []


def test_a_kill_before_the_job_is_made_does_not_lose_the_event(site: Site) -> None:
    site.trigger("drift")
    event = drift(site)
    assert site.triggers.records.claim("retrain", event, (), "retrain_1", None, site.now)
    assert not site.triggers.records.claim("retrain", event, (), "retrain_1", None, site.now)
    assert site.outcomes() == [("fired", "retrain_1")]


def test_another_trigger_of_the_same_name_does_not_repeat_events(site: Site) -> None:
    site.trigger("drift")
    drift(site, key="1")
    site.evaluate()
    site.triggers.delete("retrain")
    with pytest.raises(NotFoundError):
        site.triggers.get("retrain")
    assert site.triggers.log("retrain") != []
    site.trigger("drift")
    assert site.evaluate() == []


def test_a_changed_trigger_goes_on_where_it_is(site: Site, tmp_path: Path) -> None:
    site.put("a.csv", "x\n1\n")
    site.trigger(minimum_rows=5)
    site.put("b.csv", "x\n1\n")
    site.evaluate()
    site.trigger(minimum_rows=1)
    assert site.outcomes() == [("fired", "retrain_1")]
    assert len(events_after(site.triggers.records.database, 0)) == 1
