"""What an engine works with, gathered once for a workspace."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from amlocal.local.artifacts import Artifacts
from amlocal.local.digests import Digests
from amlocal.local.environments import Environments
from amlocal.local.locations import Locations
from amlocal.local.monitors.facts import Facts
from amlocal.local.monitors.findings import Findings
from amlocal.local.records import JobRecords
from amlocal.local.tracking.server import TrackingServer
from amlocal.local.workspace import Workspace
from amlocal.plan import Environment, Output, OutputInfo

#: Registers an output under its name, from where it is, as what a run wrote: gives `NAME:VERSION`.
RegisterOutput = Callable[[Output, OutputInfo, str], str]
#: Gives the environment that a reference names, or None where no such one is registered.
FindEnvironment = Callable[[str], "Environment | None"]


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a workspace that running a job needs.

    Attributes:
        workspace: Where things are.
        records: The job records.
        digests: Content digests.
        artifacts: Content-addressed storage.
        locations: Turns addresses into places.
        environments: Chooses and builds environments.
        server: The tracking server.
        register_output: Registers a named output as a data asset or model.
        find_environment: Looks a registered environment up.
        facts: Tells monitors' runs of deployments and models.
        findings: What monitors' runs have found, until that is recorded as events.
        environ: The environment of the process that the job was started from.
        note: Tells what takes time or should be known.
        automl: The command that an AutoML search is; it is given `--request` and `--out`.
        monitorkit: The command that a monitor's run is; likewise.
    """

    workspace: Workspace
    records: JobRecords
    digests: Digests
    artifacts: Artifacts
    locations: Locations
    environments: Environments
    server: TrackingServer
    register_output: RegisterOutput
    find_environment: FindEnvironment
    facts: Facts
    findings: Findings
    environ: Mapping[str, str]
    note: Callable[[str], None]
    automl: tuple[str, ...] = (sys.executable, "-m", "automlkit")
    monitorkit: tuple[str, ...] = (sys.executable, "-m", "monitorkit")
