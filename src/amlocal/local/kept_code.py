"""Code folders as they were when something was made of them that runs later, by content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from amlocal.local.artifacts import Artifacts
from amlocal.local.digests import tree_digest
from amlocal.local.snapshot import Snapshots
from amlocal.plan import Component, Step


@dataclass(frozen=True, slots=True)
class KeptCode:
    """Keeps code: as in Azure, what is edited afterwards does not count.

    Attributes:
        folder: Where; each code folder is in one named by its content.
        artifacts: The workspace's storage.
        snapshots: Makes what takes snapshots.
    """

    folder: Path
    artifacts: Artifacts
    snapshots: Callable[[], Snapshots]

    def of_step(self, step: Step) -> Step:
        """Return a step whose code is kept; raises SpecError where it is not there."""
        return msgspec.structs.replace(step, component=self.of_component(step.component))

    def of_component(self, component: Component) -> Component:
        """Return a component whose code is kept; raises SpecError where it is not there."""
        code = self.of(component.code, component.additional_includes)
        return msgspec.structs.replace(component, code=code, additional_includes=())

    def of(self, code: str | None, includes: tuple[str, ...]) -> str | None:
        """Return where a code folder is kept, or None where there are no files."""
        files = self.snapshots().take(code, includes)
        if not files:
            return None
        digest = tree_digest(files)
        place = self.folder / digest[:24]
        if not place.exists():
            self.artifacts.restore(digest, place)
        return str(place)
