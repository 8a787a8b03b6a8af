"""Components: the reusable definition of a step."""

from __future__ import annotations

from amlocal.plan.base import Value
from amlocal.plan.environment import Environment
from amlocal.plan.parallel import Parallel
from amlocal.plan.ports import Input, Output


class Distribution(Value, frozen=True):
    """How a step spreads over processes.

    Attributes:
        type: `pytorch`, `tensorflow`, or `mpi`.
        process_count_per_instance: Processes on each node.
        parameter_server_count: TensorFlow only.
        worker_count: TensorFlow only.
    """

    type: str
    process_count_per_instance: int = 1
    parameter_server_count: int = 0
    worker_count: int | None = None


class Component(Value, frozen=True):
    """A command or parallel component, from its file or from an inline step.

    Attributes:
        name: Its name; empty for an inline step.
        version: Its version, or None.
        display_name: What people read, or an empty string.
        description: What it does.
        command: The shell command with its `${{...}}` and `$[[...]]` in place; empty of one that is
            parallel.
        code: Absolute path of the folder (or file) that the command runs in, or an address
            (`azureml:...`, `git+https://...`), or None.
        additional_includes: Absolute paths copied beside the code.
        environment: What the command needs, or None.
        inputs: What it takes, by name.
        outputs: What it gives, by name.
        is_deterministic: Whether an earlier result may be reused.
        distribution: How it spreads over processes, or None.
        instance_count: Nodes.
        parallel: What makes it parallel, or None.
        tags: Free labels.
        source: The file that it was read from, as the user named it; empty for an inline step.
    """

    command: str
    name: str = ""
    version: str | None = None
    display_name: str = ""
    description: str = ""
    code: str | None = None
    additional_includes: tuple[str, ...] = ()
    environment: Environment | None = None
    inputs: dict[str, Input] = {}
    outputs: dict[str, Output] = {}
    is_deterministic: bool = True
    distribution: Distribution | None = None
    instance_count: int = 1
    parallel: Parallel | None = None
    tags: dict[str, str] = {}
    source: str = ""
