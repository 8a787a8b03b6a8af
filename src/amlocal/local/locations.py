"""Where the data behind an address is on this machine.

===============================================  =============================================
address                                          place
===============================================  =============================================
`/a/b`, `file:///a/b`                            the path
`azureml://datastores/D/paths/P` and the long    `datastores/D/P` in the workspace
form with subscription, group, and workspace
`azureml:NAME:VERSION`, `azureml:NAME@latest`    the registered data asset or model
`azureml://jobs/J/outputs/O[/paths/P]`           the output of a job (`artifacts`: its artifacts)
any other (`https://`, `wasbs://`, `abfss://`,   the mirrors file
`azureml://registries/...`)
===============================================  =============================================

The mirrors file (`mirrors.yml` at the project's root) maps the beginning of an address to a local
path; the longest that fits is taken::

    https://example.blob.core.windows.net/public/: data/public/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from amlocal.errors import TargetError, UsageError
from amlocal.local.workspace import COLLECTED, DEFAULT_DATASTORE, Workspace

MIRRORS = "mirrors.yml"
_DATASTORE = re.compile(
    r"azureml://(?:subscriptions/[^/]+/resourcegroups/[^/]+/workspaces/[^/]+/)?"
    r"datastores/(?P<datastore>[^/]+)/paths/(?P<path>.*)",
    re.IGNORECASE,
)
_JOB_OUTPUT = re.compile(
    r"azureml://jobs/(?P<job>[^/]+)/outputs/(?P<output>[^/]+)(?:/paths/(?P<path>.*))?",
    re.IGNORECASE,
)
_ASSET = re.compile(r"azureml:(?!//)(?P<name>[^:@]+)(?::(?P<version>[^:@]+)|@(?P<label>[^:@]+))?")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:")

FindAsset = Callable[[str, "str | None", "str | None"], str]
FindOutput = Callable[[str, str], Path]


def is_address(path: str) -> bool:
    """Return whether a path is an address and not a place on this machine."""
    return bool(_SCHEME.match(path)) and not path.startswith("file:")


def in_datastore(path: str) -> bool:
    """Return whether a path is the address of a place in a datastore."""
    return _DATASTORE.fullmatch(path) is not None


def redacted(address: str) -> str:
    """Return an address without what may be secret in it: its query (SAS) and user part."""
    if "://" not in address:
        return address
    parts = urlsplit(address)
    names_container = parts.scheme.startswith(("abfs", "wasb")) and not parts.password
    host = parts.netloc if names_container else parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


class Locations:
    """Turns addresses into places.

    Args:
        workspace: Whose datastores and mirrors file.
        find_asset: Gives the path (or address) of a data asset or model from name, version, label.
        find_output: Gives the place of a job's output.
    """

    def __init__(
        self, workspace: Workspace, *, find_asset: FindAsset, find_output: FindOutput
    ) -> None:
        self._workspace = workspace
        self._find_asset = find_asset
        self._find_output = find_output
        self._mirrors: Mapping[str, Path] | None = None

    def place(self, address: str) -> Path:
        """Return where an address is on this machine, whether or not something is there.

        Raises:
            NotFoundError: It names an asset or a job that does not exist.
            TargetError: It is remote and no mirror is known.
        """
        if not is_address(address):
            return Path(unquote(address.removeprefix("file://").removeprefix("file:")))
        if found := _DATASTORE.fullmatch(address):
            folder = self._workspace.datastore(found["datastore"])
            return _inside(folder, found["path"], address)
        if found := _JOB_OUTPUT.fullmatch(address):
            place = self._find_output(found["job"], found["output"])
            return _inside(place, found["path"], address) if found["path"] else place
        if found := _ASSET.fullmatch(address):
            return self.place(self._find_asset(found["name"], found["version"], found["label"]))
        return self._mirrored(
            address.removeprefix("azureml:") if address.startswith("azureml:h") else address
        )

    def existing(self, address: str) -> Path:
        """Return where an address is, like `place`, and require that something is there.

        Raises:
            TargetError: Nothing is there.
        """
        place = self.place(address)
        if not place.exists():
            shown = f"{redacted(address)} ({place})" if is_address(address) else str(place)
            raise TargetError(f"there is no data at {shown}", hint=self._hint(address, place))
        return place

    def grows(self, place: Path) -> bool:
        """Return whether a place holds what endpoints collect, which is added to at any time."""
        return place.is_relative_to(self._workspace.datastore(DEFAULT_DATASTORE) / COLLECTED)

    def check_asset(self, address: str) -> None:
        """Require that the asset is registered, where an address names one.

        Raises:
            NotFoundError: It is not, or not in this version.
        """
        if found := _ASSET.fullmatch(address):
            self._find_asset(found["name"], found["version"], found["label"])

    def _hint(self, address: str, place: Path) -> str:
        if in_datastore(address):
            return f"put the data to {place}"
        return "check the path"

    def address(self, place: Path) -> str:
        """Return the `azureml://` address of a place in a datastore, else an empty string."""
        try:
            inside = place.relative_to(self._workspace.datastores)
        except ValueError:
            return ""
        datastore, *rest = inside.parts
        return f"azureml://datastores/{datastore}/paths/{'/'.join(rest)}"

    def default_output(self, job: str, output: str, datastore: str = DEFAULT_DATASTORE) -> Path:
        """Return Azure's default place of an output: `azureml/<job name>/<output name>`."""
        return self._workspace.datastore(datastore) / "azureml" / job / output

    def _mirrored(self, address: str) -> Path:
        mirrors = self._read_mirrors()
        plain = redacted(address)
        fitting = [prefix for prefix in mirrors if plain.startswith(prefix)]
        if not fitting:
            raise TargetError(
                f"{plain} is not on this machine, and nothing is downloaded",
                hint=f"get the data, and write to {self._workspace.project / MIRRORS}: "
                f"{plain}: PATH",
            )
        prefix = max(fitting, key=len)
        rest = plain[len(prefix) :]
        return _inside(mirrors[prefix], rest, address) if rest else mirrors[prefix]

    def _read_mirrors(self) -> Mapping[str, Path]:
        if self._mirrors is None:
            file = self._workspace.project / MIRRORS
            self._mirrors = _parse_mirrors(file) if file.exists() else {}
        return self._mirrors


def _parse_mirrors(file: Path) -> Mapping[str, Path]:
    import yaml  # only jobs with remote inputs pay for it

    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UsageError(f"{file} is not YAML: {error}") from error
    if not isinstance(content, dict) or not all(
        isinstance(text, str) for pair in content.items() for text in pair
    ):
        raise UsageError(
            f"{file} does not map addresses to paths", hint="write lines of the form ADDRESS: PATH"
        )
    return {prefix: (file.parent / path).resolve() for prefix, path in content.items()}


def _inside(folder: Path, path: str, address: str) -> Path:
    relative = unquote(path).strip("/")
    place = folder / relative
    if ".." in Path(relative).parts:
        raise UsageError(f"{redacted(address)} leads out of its datastore")
    return place
