"""What happens in the loop, one act after another, each with what must come of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from traffic import TABLE, TRUTH, Traffic, rows_of

from amlocal.local.client import LocalClient
from amlocal.plan import JobInfo, JobStatus, MonitorInfo
from amlocal.plan.trigger import TriggerDecision

ROOT = Path(__file__).parents[1]
ENDPOINT, MODEL, MONITOR = "adult", "income-classification", "adult-monitor"
DATA = ROOT / "data/adult-ci"
#: Little data and little measuring: that every link works, and not how good the model is.
SAMPLE = ("analyses=errors", "profile_seconds=2", "refit_seconds=2")
#: Seconds of which rows are fresh. Less than the 90 of the monitor, jobs/loop/monitor.yml, so that
#: what was collected before the world changed is not among them.
FRESH = 60
_POLL = 0.5


class MissingLinkError(Exception):
    """Something that must happen did not, or something happened that must not."""


@dataclass
class Stage:
    """The workspace that the loop runs in.

    Attributes:
        client: Its client.
        home: Its folder.
        patience: By how much longer than on an idle machine things may take.
        began: When the demo began, by the monotonic clock.
    """

    client: LocalClient
    home: Path
    patience: float = 1.0
    began: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """Tell what happens."""
        seconds = time.monotonic() - self.began
        for number, line in enumerate(text.splitlines()):
            head = f"[{seconds:4.0f} s]" if not number else " " * 8
            print(f"{head} {line}", flush=True)

    def wait(self, what: str, found: Callable[[], Any], seconds: float) -> Any:
        """Wait until something is found, and return it.

        Raises:
            MissingLinkError: It does not come in time.
        """
        deadline = time.monotonic() + seconds * self.patience
        while not (result := found()):
            if time.monotonic() > deadline:
                raise MissingLinkError(f"{what} did not come in {seconds * self.patience:.0f} s")
            time.sleep(_POLL)
        return result

    def ended(self, name: str, seconds: float) -> JobInfo:
        """Wait for a job that must complete.

        Raises:
            MissingLinkError: It does not.
        """
        jobs = self.client.jobs
        self.wait(f"the end of job {name}", lambda: jobs.get(name).status.is_terminal, seconds)
        job = jobs.get(name)
        if job.status is not JobStatus.COMPLETED:
            raise MissingLinkError(f"job {name} is {job.status.value}: {job.error}")
        return job

    def fired(self, trigger: str, seconds: float) -> TriggerDecision:
        """Wait until a trigger has started its job.

        Raises:
            MissingLinkError: It does not.
        """

        def found() -> TriggerDecision | None:
            told = self.client.triggers.log(trigger)
            return next((each for each in told if each.outcome == "fired"), None)

        decision: TriggerDecision = self.wait(f"a run of trigger {trigger}", found, seconds)
        return decision


def settings(values: Sequence[str]) -> list[str]:
    """Return settings of the inputs of the job that a trigger starts."""
    return [f"create_job.inputs.{each}" for each in values]


def champion(stage: Stage) -> None:
    """Make the first champion by hand, and serve it."""
    client = stage.client
    given = [
        f"inputs.data.path={DATA / 'train.parquet'}",
        f"inputs.test_data.path={DATA / 'test.parquet'}",
        f"inputs.policy.path={ROOT / 'jobs/policies/retrain.yml'}",
        *(f"inputs.{each}" for each in SAMPLE),
    ]
    stage.say("by hand: aml job create -f jobs/lifecycle.yml")
    job = client.jobs.create_or_update(ROOT / "jobs/lifecycle.yml", overrides=given)
    stage.ended(job.name, 600)
    version = client.models.get(MODEL)
    if "champion" not in version.aliases:
        raise MissingLinkError(f"the gate did not make {MODEL}:{version.version} champion")
    endpoint = ROOT / "endpoints/adult/endpoint.yml"
    client.online_endpoints.begin_create_or_update(endpoint).result()
    model = f"model=azureml:{MODEL}:{version.version}"
    name = f"version-{version.version}"
    client.online_deployments.begin_create_or_update(
        ROOT / "endpoints/adult/version.yml", overrides=[model], name=name, endpoint_name=ENDPOINT
    ).result()
    traffic = [f"traffic.{name}=100"]
    client.online_endpoints.begin_create_or_update(None, overrides=traffic, name=ENDPOINT).result()
    stage.say(f"champion {MODEL}:{version.version}, served as {ENDPOINT}/{name}")


def arm(stage: Stage) -> None:
    """Make the monitor and the triggers: from here on nobody does anything by hand."""
    client = stage.client
    monitor = ROOT / "jobs/loop/monitor.yml"
    client.schedules.begin_create_or_update(monitor).result()
    inputs: dict[str, Sequence[str]] = {
        "drift": (
            f"window_days={FRESH / 86400:.6f}",
            "minimum_rows=500",
            "old_data.type=uri_file",
            f"old_data.path={DATA / 'train.parquet'}",
        ),
        "retrain": SAMPLE,
        "release": (f"monitors={MONITOR}",),
    }
    for name, values in inputs.items():
        file = ROOT / f"jobs/loop/{name}.yml"
        client.triggers.create_or_update(file, overrides=settings(values))
    stage.say(f"armed: monitor {MONITOR}, triggers {', '.join(inputs)} of jobs/loop")


def callers(stage: Stage, *, shift: bool, rate: float) -> Traffic:
    """Let callers ask the endpoint from now on."""
    endpoint = stage.client.online_endpoints.get(ENDPOINT)
    key = stage.client.online_endpoints.get_keys(ENDPOINT).primary_key
    rows = rows_of(TABLE, seed=int(shift), shift=shift)
    traffic = Traffic(endpoint.scoring_uri, key, rows, stage.home / TRUTH, rate)
    traffic.start()
    return traffic


def monitored(stage: Stage) -> MonitorInfo:
    """Have the monitor look at the last week, and return what it found.

    Raises:
        MissingLinkError: It found nothing to look at.
    """
    name = stage.client.schedules.trigger(MONITOR).job_name
    found = stage.ended(name, 120).monitor
    if found is None or found.verdict == "insufficient":
        raise MissingLinkError(f"{name}: {found.note if found else 'no monitor run'}")
    stage.say(
        f"monitor on {found.deployment}: {found.verdict}: {found.note.replace('; ', chr(10))}"
    )
    return found


def quiet(stage: Stage, rows: int) -> None:
    """Let callers of the known world ask; nothing may come of it.

    Raises:
        MissingLinkError: The monitor finds something, an event is recorded, or a job starts.
    """
    traffic = callers(stage, shift=False, rate=40)
    try:
        traffic.wait_for(rows, seconds=120 * stage.patience)
    finally:
        traffic.stop()
    stage.say(f"quiet: {traffic.answered} rows, {traffic.right / traffic.answered:.0%} right")
    before = {job.name for job in stage.client.jobs.list()}
    found = monitored(stage)
    if found.verdict != "ok":
        raise MissingLinkError(f"the monitor finds a {found.verdict} where nothing changed")
    stage.client.triggers.evaluate(time.time())
    started = {job.name for job in stage.client.jobs.list() if "trigger" in job.tags}
    if started - before or stage.client.triggers.events():
        raise MissingLinkError(f"something happened on quiet traffic: {sorted(started)}")
    stage.say("no event, and no job started")


def breach(stage: Stage, traffic: Traffic, rows: int) -> None:
    """Wait until the changed world has shown, and have the monitor look.

    Raises:
        MissingLinkError: It does not find that the data drift.
    """
    traffic.wait_for(rows, seconds=240 * stage.patience)
    stage.say(f"shifted: {traffic.answered} rows, {traffic.right / traffic.answered:.0%} right")
    found = monitored(stage)
    drift = [event for event in stage.client.triggers.events() if event.type == "drift"]
    if found.verdict != "breach" or not drift:
        raise MissingLinkError(f"no event of drift came of {found.verdict}: {found.note}")
    for event in stage.client.triggers.events():
        stage.say(f"event {event.id}: {event.type}, signal {event.detail.get('signal', '')}")


def turn(stage: Stage) -> str:
    """Follow the loop once round, and return the new deployment.

    Raises:
        MissingLinkError: A link does not happen.
    """
    fresh = stage.fired("fresh-data-on-drift", 60)
    stage.say(f"event {fresh.event} -> job {fresh.job}")
    data = stage.ended(fresh.job, 180).outputs["table"].asset
    retrain = stage.fired("retrain-on-fresh-data", 60)
    stage.say(f"data {data} -> event {retrain.event} -> job {retrain.job}")
    released = stage.fired("release-new-version", 600)
    version = stage.client.models.get(MODEL)
    stage.say(
        f"model {MODEL}:{version.version}: auc {version.tags['metric.auc']}, the gate made it "
        f"{version.tags['decision']} -> event {released.event} -> job {released.job}"
    )
    told = stage.ended(released.job, 400)
    stage.say(next(child.params["conclusion"] for child in told.children))
    stage.ended(retrain.job, 300)
    name = f"version-{version.version}"
    traffic = stage.client.online_endpoints.get(ENDPOINT).traffic
    if {each: share for each, share in traffic.items() if share} != {name: 100}:
        raise MissingLinkError(f"{name} has not all traffic: {traffic}")
    return name


def settled(stage: Stage, traffic: Traffic, name: str, rows: int) -> None:
    """Have the monitor look at the new deployment, which must be fine.

    Raises:
        MissingLinkError: It looks at another one, or finds a breach.
    """
    before = traffic.right, traffic.answered
    traffic.rate = 40
    traffic.wait_for(traffic.answered + rows, seconds=240 * stage.patience)
    right, answered = traffic.right - before[0], traffic.answered - before[1]
    stage.say(f"on {name}: {answered} rows, {right / answered:.0%} right")
    found = monitored(stage)
    if (found.deployment, found.verdict) != (name, "ok"):
        raise MissingLinkError(f"the monitor finds a {found.verdict} on {found.deployment}")
