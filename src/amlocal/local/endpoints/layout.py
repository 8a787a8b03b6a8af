"""Where the files of a workspace's endpoints are.

::

    endpoints/
      NAME/keys.json                 an endpoint's keys, for their owner's eyes only
      NAME/router.log                what its router printed
      NAME/DEPLOYMENT/ID.log         what an instance of a deployment printed
      NAME/DEPLOYMENT/versions/ID/   what a version of a deployment is made of
      .supervisor/                   (no endpoint's name begins with a dot)
        log                          the supervisor's output
        alive.lock                   locked by the supervisor as long as it lives
        start.lock                   locked while somebody starts or ends the supervisor
        wake                         a pipe: what is written to it makes the supervisor look again
        down                         there where the supervisor is to stay down
        sockets                      names the folder of Unix sockets, whose paths must be short
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from amlocal.local.daemon import DaemonFiles


@dataclass(frozen=True, slots=True)
class EndpointLayout:
    """The files of the endpoints of a workspace."""

    folder: Path

    @property
    def _own(self) -> Path:
        return self.folder / ".supervisor"

    def create(self) -> None:
        """Make the folders that are missing."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._own.mkdir(exist_ok=True)

    @property
    def daemon(self) -> DaemonFiles:
        """By what the supervisor and the commands know of each other."""
        return DaemonFiles(self._own)

    @property
    def sockets(self) -> Path:
        """Names the folder of the supervisor's sockets."""
        return self._own / "sockets"

    def endpoint(self, name: str) -> Path:
        """Return an endpoint's folder."""
        return self.folder / name

    def keys(self, name: str) -> Path:
        """Return the file of an endpoint's keys."""
        return self.endpoint(name) / "keys.json"

    def router_log(self, name: str) -> Path:
        """Return what an endpoint's router prints to."""
        return self.endpoint(name) / "router.log"

    def deployment(self, endpoint: str, name: str) -> Path:
        """Return a deployment's folder."""
        return self.endpoint(endpoint) / name

    def versions(self, endpoint: str, name: str) -> Path:
        """Return the folder of a deployment's versions."""
        return self.deployment(endpoint, name) / "versions"

    def instance_logs(self, endpoint: str, name: str) -> list[Path]:
        """Return the logs of a deployment's instances, the newest instance last."""
        folder = self.deployment(endpoint, name)
        found = [(instance_number(path.stem), path) for path in folder.glob("*.log")]
        return [path for _, path in sorted(found)]

    def all_versions(self) -> Iterator[Path]:
        """Give the folders of all versions of all deployments."""
        if self.folder.is_dir():
            yield from self.folder.glob("*/*/versions/*/")


def instance_number(identity: str) -> int:
    """Return the number at the end of an instance's id, `DEPLOYMENT-NUMBER`."""
    number = identity.rpartition("-")[2]
    return int(number) if number.isdecimal() else -1
