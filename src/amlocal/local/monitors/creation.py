"""Looks at a monitor before its schedule is recorded: what is missing is told at once."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from amlocal.errors import NotFoundError
from amlocal.local.assets import parse_reference
from amlocal.local.compiler import RegisteredAssets
from amlocal.local.monitors.facts import Facts
from amlocal.local.monitors.job import component_references
from amlocal.local.monitors.request import ask
from amlocal.local.packages import require
from amlocal.plan import Component, CreateMonitor, Job

#: What `monitorkit` imports.
_PACKAGES = ("matplotlib", "pandas", "scipy", "sklearn")


@dataclass(frozen=True, slots=True)
class MonitorChecks:
    """What a monitor needs of its workspace.

    Attributes:
        facts: Its deployments and models.
        registered: Its components.
    """

    facts: Facts
    registered: RegisteredAssets

    def components(self, monitor: CreateMonitor) -> dict[str, Component]:
        """Return the components that a monitor names, by reference.

        Raises:
            NotFoundError: One is not registered here, or runs no command.
        """
        found = {}
        for reference in component_references(monitor):
            name, version, label = parse_reference(reference)
            try:
                found[reference] = self.registered.component(name, version, label)
            except NotFoundError as error:
                raise NotFoundError(
                    f"the monitor names the component {reference}: {error}",
                    hint="on this machine a component of a monitor is a command component that is "
                    "registered: aml component create -f FILE",
                ) from error
        return found

    def checked(self, job: Job) -> Job:
        """Return a monitor's job with what its run would be given now.

        Raises:
            EnvironmentBuildError: A package that it runs with is not installed.
            NotFoundError: Its deployment or its model is not there, or not what that was made of.
            UsageError: A signal lacks something.
        """
        require(_PACKAGES, who="monitors need", extra="lifecycle")
        *before, step = job.steps
        assert step.monitor is not None, "the last step of a monitor's job is its own"
        asked = ask(step.monitor, self.facts)
        if asked.errors:
            # A run goes on with its other signals; whoever writes a monitor is told at once.
            raise asked.errors[0]
        inputs = {**step.inputs, **asked.inputs}
        return msgspec.structs.replace(
            job, steps=(*before, msgspec.structs.replace(step, inputs=inputs))
        )
