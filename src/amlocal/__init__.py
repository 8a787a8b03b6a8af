"""Azure ML jobs that run anywhere.

The same Azure ML v2 files (jobs, components, environments, data, models) run on this machine
without a subscription, and in an Azure ML workspace::

    import amlocal

    client = amlocal.connect()
    job = client.jobs.create_or_update("jobs/lifecycle.yml")
    client.jobs.stream(job.name)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amlocal.client import Client, connect

__all__ = ["Client", "__version__", "connect"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    # `import amlocal.plan` must not pay for the engine: the client is loaded when it is asked for.
    if name in {"Client", "connect"}:
        from amlocal import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
