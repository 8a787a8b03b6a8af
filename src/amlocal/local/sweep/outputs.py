"""The best trial's outputs, made the sweep's own: put where its file wants them, and registered."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from amlocal.local.bind import output_path
from amlocal.local.services import Services
from amlocal.local.sweep.trial import is_own_place
from amlocal.plan import JobInfo, Output, OutputInfo


def take_over(
    best: JobInfo,
    declared: Mapping[str, Output],
    services: Services,
    *,
    sweep: str,
    datastore: str,
) -> dict[str, OutputInfo]:
    """Return the outputs of a sweep.

    Args:
        best: The best trial's record.
        declared: The sweep's outputs, as its file settles them.
        services: The workspace.
        sweep: The sweep's job name.
        datastore: The default datastore.

    Raises:
        AmlocalError: An output cannot be put or registered where the file says.
    """
    outputs = dict(best.outputs)
    # A trial that was reused has its model in the run that it took over.
    wrote = services.records.get(best.reused_from) if best.reused_from else best
    for name, output in declared.items():
        if name not in outputs:
            continue
        if not is_own_place(output):
            address = output_path(output.path or "", job=sweep, output=name, datastore=datastore)
            outputs[name] = _copied(outputs[name], address, services)
        if output.name:
            asset = services.register_output(output, outputs[name], wrote.tracking.run_id)
            outputs[name] = msgspec.structs.replace(outputs[name], asset=asset)
    return outputs


def _copied(output: OutputInfo, address: str, services: Services) -> OutputInfo:
    source, place = Path(output.path), services.locations.place(address)
    place.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, place, dirs_exist_ok=True, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(source, place)
    return msgspec.structs.replace(output, path=str(place), uri=services.locations.address(place))
