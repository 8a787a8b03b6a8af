"""Docker by its command line, which finds the engine as the user has set it up."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from amlocal.errors import EnvironmentBuildError

#: Seconds that an engine has to answer what costs it nothing.
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Docker:
    """Docker on this machine.

    Attributes:
        program: The path of its command.
        environ: The environment variables that it is called with.
    """

    program: str
    environ: Mapping[str, str]

    @classmethod
    def find(cls, environ: Mapping[str, str]) -> Docker:
        """Return the Docker of this machine, without asking its engine.

        Args:
            environ: Holds `PATH`, and what Docker heeds, such as `DOCKER_HOST`.

        Raises:
            EnvironmentBuildError: There is none.
        """
        program = shutil.which("docker", path=environ.get("PATH"))
        if program is None:
            raise EnvironmentBuildError("there is no Docker on this machine")
        return cls(program, environ)

    def check(self) -> None:
        """Require that the engine answers; raises EnvironmentBuildError."""
        self._run("version", "--format", "{{.Server.Version}}", what="Docker does not answer")

    def has_image(self, image: str) -> bool:
        """Tell whether an image is on this machine."""
        return self._try("image", "inspect", "--format", "{{.Id}}", image).returncode == 0

    def pull(self, image: str) -> None:
        """Get an image from its registry; raises EnvironmentBuildError."""
        what = f"the image {image} cannot be had"
        self._run("pull", "--quiet", image, what=what, seconds=None)

    def build(self, tag: str, context: Path, dockerfile: str) -> None:
        """Build an image of a folder; raises EnvironmentBuildError."""
        file = str(context / dockerfile)
        what = f"the image of {dockerfile} cannot be built"
        self._run("build", "--tag", tag, "--file", file, str(context), what=what, seconds=None)

    def containers(self, label: str) -> Sequence[str]:
        """Return the ids of containers with a label (`KEY=VALUE`), also of those that have ended.

        Raises:
            EnvironmentBuildError: Docker does not answer.
        """
        return self._run(
            *("ps", "--all", "--quiet", "--filter", f"label={label}"), what="Docker does not answer"
        ).split()

    def remove(self, containers: Sequence[str]) -> None:
        """End and remove containers; those that are gone already are passed over."""
        if containers:
            self._try("rm", "--force", *containers)

    def removal(self, containers: Sequence[str]) -> tuple[str, ...]:
        """Return the command that ends and removes containers."""
        return (self.program, "rm", "--force", *containers)

    def _run(self, *arguments: str, what: str, seconds: float | None = _SECONDS) -> str:
        done = self._try(*arguments, seconds=seconds)
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            said = lines[-1].strip() if lines else f"exit code {done.returncode}"
            raise EnvironmentBuildError(f"{what}: {said}")
        return done.stdout

    def _try(
        self, *arguments: str, seconds: float | None = _SECONDS
    ) -> subprocess.CompletedProcess[str]:
        command = [self.program, *arguments]
        try:
            return subprocess.run(
                command,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            said = f"no answer within {seconds:g} s"
            return subprocess.CompletedProcess(command, 124, "", said)


def mounted(source: Path, target: str) -> str:
    """Return what `--mount` is given for a folder that a container may read, not write."""
    row = ["type=bind", f"source={source}", f"target={target}", "readonly"]
    # Docker reads it as a line of CSV, so a comma or a quote in a path is no end of it.
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(row)
    return text.getvalue()


def have_image(
    docker: Docker, image: str, context: Path | None, dockerfile: str, note: Callable[[str], None]
) -> None:
    """Pull or build an image, unless it is there.

    Args:
        docker: Docker.
        image: Its name.
        context: The folder that it is built of, or None for one of a registry.
        dockerfile: Path of the Dockerfile in the folder.
        note: Told of what takes time.

    Raises:
        EnvironmentBuildError: It cannot be had.
    """
    if docker.has_image(image):
        return
    if context is None:
        note(f"pulling the image {image}")
        docker.pull(image)
    else:
        note(f"building the image {image}")
        docker.build(image, context, dockerfile)
