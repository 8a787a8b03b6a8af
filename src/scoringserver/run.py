"""Loads a model and serves it."""

from __future__ import annotations

import gc
import logging
import sys
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from scoringserver.app import App
from scoringserver.batching import Batcher
from scoringserver.model import load_model
from scoringserver.serve import listen, serve

_log = logging.getLogger("scoringserver")


def run(
    folder: Path, *, path: Path | None, port: int, threads: int, max_body: int, batch_rows: int
) -> None:
    """Serve a model until told to end.

    Args:
        folder: The model's.
        path: A Unix socket; None: `port` on 127.0.0.1.
        port: 0: a free one.
        threads: Of one prediction.
        max_body: Most bytes of a body.
        batch_rows: Most rows of a batch.

    Raises:
        ModelError: It cannot be loaded.
        OSError: The address is in use.
    """
    model = load_model(folder)
    batcher = Batcher(model, batch_rows=batch_rows, surroundings=partial(_surroundings, threads))
    app = App(model, batcher, max_body=max_body)
    # Not before the model is there: who can connect, is served.
    bound = listen(path=path, port=port)
    # What was loaded stays, and is many objects: no collection need look at it again.
    gc.collect()
    gc.freeze()
    batcher.start()
    address = str(path) if path else f"http://127.0.0.1:{bound.getsockname()[1]}"
    _log.info(
        "serving %s on %s, %s",
        folder,
        address,
        "in batches" if model.is_rowwise and batch_rows > 1 else "one request at a time",
    )
    try:
        serve(app, bound)
    finally:
        batcher.stop()
        if path:
            path.unlink(missing_ok=True)


def _surroundings(threads: int) -> AbstractContextManager[Any]:
    """Return what keeps joblib, where the model uses it, from starting threads for one.

    Forests ask for all cores whatever the size of the batch; handing ten rows to threads takes
    longer than predicting them.
    """
    joblib = sys.modules.get("joblib")
    if threads > 1 or joblib is None or not hasattr(joblib, "parallel_config"):
        return nullcontext()
    config: AbstractContextManager[Any] = joblib.parallel_config("sequential")
    return config
