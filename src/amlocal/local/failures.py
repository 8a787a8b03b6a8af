"""What went wrong with the machine, as sentences that people can act on."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from amlocal.errors import AmlocalError, TargetError
from amlocal.local.workspace import Workspace


def target_error(error: OSError, workspace: Workspace) -> TargetError:
    """Return the error that tells of a disk's error; on a full disk, make room for the records."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        workspace.release_reserve()
        return TargetError(
            f"no space left on the disk of {error.filename or workspace.path}",
            hint="free some, for example with: aml workspace gc",
        )
    return TargetError(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "))


@contextlib.contextmanager
def disk_errors(workspace: Workspace) -> Iterator[None]:
    """Turn what the disk refuses into the error that tells of it.

    Raises:
        TargetError: The disk refused something.
    """
    try:
        yield
    except OSError as error:
        raise target_error(error, workspace) from error


def code_of(error: AmlocalError | OSError) -> str:
    """Return Azure ML's code of an error: whether the job or the machine is at fault."""
    return "SystemError" if isinstance(error, (TargetError, OSError)) else "UserError"


def text_of(error: AmlocalError | OSError, workspace: Workspace) -> str:
    """Return an error and the next thing to do, as a job's record keeps them."""
    told = target_error(error, workspace) if isinstance(error, OSError) else error
    return f"{told}\nhint: {told.hint}" if told.hint else str(told)
