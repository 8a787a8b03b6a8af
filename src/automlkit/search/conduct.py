"""Conducts a search: trials, repeated trials, and the results."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from automlkit.pool import Pool
from automlkit.search.loop import Loop, Reason
from automlkit.search.proposals import Proposals, flaml_searcher
from automlkit.search.results import Results
from automlkit.search.session import Session
from automlkit.search.trials import Store

#: Trials that are repeated with other folds, and the share of the time after which it begins.
REPEATED = 12
SEARCH_SHARE = 0.6


def conduct(session: Session) -> None:
    """Search, choose, and write everything.

    Raises:
        automlkit.errors.SearchError: No model came out.
    """
    # FLAML takes seconds to import; the portfolio's trials run meanwhile.
    threading.Thread(target=_import_flaml, daemon=True).start()
    store = Store(session.out / "state", session.key())
    plan = session.plan()
    with tempfile.TemporaryDirectory(prefix="automlkit-") as name:
        pool = Pool(session.starter, plan.workers, session.context, session.out / "trials.log")
        try:
            # A trial's time is its own: it does not begin while libraries are loaded.
            pool.ready(session.budget.left())
            loop = Loop(plan, session.budget, pool, store, session.events, store.load())
            reason = _search(session, loop)
            results = Results(session, plan, loop, pool, store, Path(name))
            session.events.tell(results.write(reason))
        finally:
            pool.close()


def _search(session: Session, loop: Loop) -> Reason:
    is_timed = session.budget.seconds is not None
    seed = session.request.seed
    proposals = Proposals(
        session.candidates,
        flaml_searcher(seed, is_timed=is_timed),
        seed=seed,
        is_timed=is_timed,
    )
    rounds = len(session.context.rounds)
    reason = loop.search(proposals, SEARCH_SHARE if rounds > 1 else 1.0)
    if session.validation.kind == "holdout" and reason != "timeout":
        # Where rows are many, so is what a fit costs: a search that was to be short stays so.
        return reason
    for number in range(1, rounds):
        leading = loop.completed[:REPEATED] if number == 1 else loop.repeated(number - 1)
        loop.repeat([one for one in leading if number not in one.predictions], number)
    return reason


def _import_flaml() -> None:
    import flaml.tune.searcher.blendsearch  # noqa: F401 - so that it is there when it is needed
