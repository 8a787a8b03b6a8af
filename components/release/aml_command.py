"""The command line that a release acts by: the same commands that a person would type."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stepkit.program import StepError

#: The workspace that a job runs in, and what the command line takes for it.
_WORKSPACE, _HOME = "AMLOCAL_WORKSPACE", "AMLOCAL_HOME"
#: The exit code of a rollout that returned to the deployment from before.
_FAILED = 1


@dataclass(frozen=True)
class Aml:
    """`aml` on one target.

    Attributes:
        target: `local` or `azure`.
        environ: The environment of its processes.
        program: What is run.
    """

    target: str
    environ: Mapping[str, str]
    program: Sequence[str] = (sys.executable, "-m", "amlocal.cli")

    @classmethod
    def of_job(cls, target: str, environ: Mapping[str, str] = os.environ) -> Aml:
        """Return the command line for the workspace that this job runs in."""
        given = dict(environ)
        if target == "local" and _WORKSPACE in given:
            given[_HOME] = given[_WORKSPACE]
        return cls(target, given)

    def json(self, *arguments: str) -> Any:
        """Run a command and return what it answers.

        Raises:
            StepError: It fails; holds what it said.
        """
        code, answer, said = self._run(*arguments)
        if code:
            raise StepError(f"`aml {' '.join(arguments)}` failed: {said}")
        return answer

    def judged(self, *arguments: str) -> Any:
        """Run a command whose answer counts also where the exit code is 1.

        Raises:
            StepError: It fails otherwise; holds what it said.
        """
        code, answer, said = self._run(*arguments)
        if code not in {0, _FAILED} or answer is None:
            raise StepError(f"`aml {' '.join(arguments)}` failed: {said}")
        return answer

    def _run(self, *arguments: str) -> tuple[int, Any, str]:
        print("$ aml", *arguments, flush=True)
        command = [*self.program, *arguments, "--target", self.target, "-o", "json"]
        # What it tells on the way goes to the step's log; of an error, its last words are kept.
        done = subprocess.run(
            command, env=dict(self.environ), capture_output=True, text=True, check=False
        )
        print(done.stderr, end="", flush=True)
        said = done.stderr.strip() or f"exit code {done.returncode}"
        try:
            answer = json.loads(done.stdout) if done.stdout.strip() else None
        except ValueError as error:
            raise StepError(f"`aml {' '.join(arguments)}` answered no JSON: {error}") from error
        return done.returncode, answer, said
