"""The table in force: which deployments there are, who may ask them, and who answers what."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from typing import NamedTuple

from amlocal.local.endpoints.router import answers
from amlocal.local.endpoints.router.answers import Answer
from amlocal.local.endpoints.router.auth import Gate
from amlocal.local.endpoints.router.deployments import Deployment
from amlocal.local.endpoints.router.routing import Mirrors, Split
from amlocal.local.endpoints.router.table import DeploymentEntry, Table


class Chosen(NamedTuple):
    """Who answers a request, and who gets a copy."""

    deployment: Deployment
    mirrors: tuple[Deployment, ...] = ()


class Routes:
    """Follows the table.

    A change is one synchronous step, so every request finds either the old table or the new one
    when its deployment is chosen, and keeps what it found.

    Attributes:
        gate: Who may ask.
        endpoint: The endpoint's name.
    """

    def __init__(
        self, table: Table, loop: asyncio.AbstractEventLoop, drained: Callable[[str], None]
    ) -> None:
        self._loop = loop
        self._drained = drained
        # Seeded by the endpoint's name: the same requests are split in the same way each time.
        self._random = random.Random(table.endpoint)  # noqa: S311 (shares, not secrets)
        self._deployments: dict[str, Deployment] = {}
        self._retired: list[Deployment] = []
        self.apply(table)

    def apply(self, table: Table) -> None:
        """Follow another table from now on."""
        self.gate = Gate(table.endpoint, table.auth)
        self.endpoint = table.endpoint
        self._split = Split(table.traffic, table.deployments)
        self._mirrors = Mirrors(table.mirror, table.deployments)
        # One that comes back before its last request is answered is the one that left.
        there = {left.name: left for left in self._retired if not left.is_over}
        there |= self._deployments
        self._deployments = {
            name: self._changed(there.pop(name, None), name, entry)
            for name, entry in table.deployments.items()
        }
        self._retired = list(there.values())
        for left in self._retired:
            left.retire()

    def _changed(self, found: Deployment | None, name: str, entry: DeploymentEntry) -> Deployment:
        if found is None:
            return Deployment(name, entry, self._loop, self._drained)
        found.change(entry)
        return found

    @property
    def deployments(self) -> Iterable[Deployment]:
        """The deployments of the table."""
        return self._deployments.values()

    def find(self, name: str) -> Deployment | None:
        """Return a deployment of the table, or one that has just left it."""
        retired = (left for left in self._retired if left.name == name)
        return self._deployments.get(name) or next(retired, None)

    def choose(self, named: bytes | None) -> Chosen | Answer:
        """Return who answers a request and who gets a copy, or why nobody does.

        Args:
            named: The request's `azureml-model-deployment`: it goes there whatever the traffic
                says, and is not mirrored.
        """
        if named is not None:
            name = named.decode("latin-1").strip()
            if name in self._deployments:
                return Chosen(self._deployments[name])
            return answers.no_such_deployment(self.endpoint, name, sorted(self._deployments))
        chosen = self._split.choose(self._random)
        if chosen is None:
            return answers.without_traffic(self.endpoint)
        mirrors = self._mirrors.choose(self._random, chosen)
        return Chosen(
            self._deployments[chosen],
            tuple(self._deployments[name] for name in mirrors) if mirrors else (),
        )

    def close(self) -> None:
        """Close all idle connections to instances."""
        for deployment in (*self._deployments.values(), *self._retired):
            deployment.close()
