"""The entry script: loaded as a module, with `init`, `run`, and maybe `shutdown`."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from parallelkit.batches import MiniBatch


@dataclass(frozen=True)
class MiniBatchContext:
    """What `run` is told of its mini-batch, where it takes a second argument.

    Attributes:
        minibatch_index: The mini-batch's number, from 0.
        partition_key_value: Values of the partition keys by their names.
        global_row_index_lower_bound: Of rows, the number of the first in the input.
        dataset_index: Of several inputs, which; there is one.
    """

    minibatch_index: int
    partition_key_value: dict[str, Any]
    global_row_index_lower_bound: int
    dataset_index: int = 0


class Script:
    """An entry script.

    Args:
        module: The module that it is.

    Raises:
        NotImplementedError: It has no `init` or no `run`.
    """

    def __init__(self, module: ModuleType) -> None:
        for name in ("init", "run"):
            if not callable(getattr(module, name, None)):
                message = f"the entry script {module.__file__} has no function {name}()"
                raise NotImplementedError(message)
        self.init: Callable[[], object] = module.init
        self._run: Callable[..., object] = module.run
        self._takes_context = _takes_two(module.run)
        self._shutdown: Callable[[], object] | None = getattr(module, "shutdown", None)

    def run(self, items: Any, batch: MiniBatch) -> object:
        """Call `run` with a mini-batch's items, and its context where it takes one."""
        if not self._takes_context:
            return self._run(items)
        context = MiniBatchContext(batch.index, batch.partition, batch.first_row)
        return self._run(items, context)

    def shutdown(self) -> None:
        """Call `shutdown`, where there is one."""
        if self._shutdown is not None:
            self._shutdown()


def load_script(file: Path) -> Script:
    """Load an entry script under the name of its file; modules beside it can be imported."""
    for folder in (str(Path.cwd()), str(file.parent)):
        if folder in sys.path:
            sys.path.remove(folder)
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise FileNotFoundError(f"there is no entry script at {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return Script(module)


def _takes_two(function: Callable[..., object]) -> bool:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind in kinds and parameter.default is inspect.Parameter.empty
    ]
    return len(required) > 1 or "mini_batch_context" in inspect.signature(function).parameters
