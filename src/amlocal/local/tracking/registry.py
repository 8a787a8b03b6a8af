"""MLflow's model registry over its REST API, without importing `mlflow`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from amlocal.local.tracking.transport import ServerError, Transport
from amlocal.local.tracking.values import MAX_REGISTRY_TAG_LENGTH, ModelVersion, Pair, cut, pairs
from amlocal.local.tracking.wire import Empty

T = TypeVar("T")

_PAGE = 1000
# The filter travels in the address of the request, whose length is limited.
_RUNS_AT_ONCE = 50


class _VersionJson(msgspec.Struct):
    name: str
    version: str
    source: str = ""
    run_id: str = ""
    description: str = ""
    tags: list[Pair] = []
    aliases: list[str] = []
    creation_timestamp: int = 0

    def value_of(self) -> ModelVersion:
        return ModelVersion(
            name=self.name,
            version=self.version,
            source=self.source,
            run_id=self.run_id,
            description=self.description,
            tags={tag.key: tag.value for tag in self.tags},
            aliases=tuple(self.aliases),
            creation_time=self.creation_timestamp,
        )


class _VersionAnswer(msgspec.Struct):
    model_version: _VersionJson


class _VersionsAnswer(msgspec.Struct):
    model_versions: list[_VersionJson] = []
    next_page_token: str = ""


class _AliasJson(msgspec.Struct):
    alias: str
    version: str


class _ModelJson(msgspec.Struct):
    name: str
    aliases: list[_AliasJson] = []


class _ModelAnswer(msgspec.Struct):
    registered_model: _ModelJson


class _ModelsAnswer(msgspec.Struct):
    registered_models: list[_ModelJson] = []
    next_page_token: str = ""


class _AddressAnswer(msgspec.Struct):
    artifact_uri: str


class Registry:
    """The registered models behind one server.

    Every method raises ServerError where the server refuses, with the code
    `RESOURCE_DOES_NOT_EXIST` for a model or a version that is not there.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def ensure_model(self, name: str) -> None:
        """Make a registered model, where it is missing."""
        try:
            self._call("POST", "registered-models/create", {"name": name}, Empty)
        except ServerError as error:
            if error.code != "RESOURCE_ALREADY_EXISTS":
                raise

    def models(self) -> Iterator[str]:
        """Give the names of the registered models."""
        query: dict[str, Any] = {"max_results": _PAGE}
        while True:
            answer = self._call("GET", "registered-models/search", query, _ModelsAnswer)
            yield from (model.name for model in answer.registered_models)
            if not answer.next_page_token:
                return
            query["page_token"] = answer.next_page_token

    def create_version(
        self,
        name: str,
        source: str,
        *,
        run_id: str = "",
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> ModelVersion:
        """Make the next version of a registered model.

        Args:
            name: The model, which must be there.
            source: Address of its files.
            run_id: The run that it comes from.
            description: What it is.
            tags: Its first tags.
        """
        body = {
            "name": name,
            "source": source,
            "run_id": run_id,
            "description": description,
            "tags": pairs(dict(tags or {}), MAX_REGISTRY_TAG_LENGTH),
        }
        return self._version("POST", "model-versions/create", body)

    def version(self, name: str, version: str) -> ModelVersion:
        """Return a version."""
        return self._version("GET", "model-versions/get", {"name": name, "version": version})

    def version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """Return the version that an alias stands for.

        An alias that is not there gives ServerError with the code `INVALID_PARAMETER_VALUE`.
        """
        return self._version("GET", "registered-models/alias", {"name": name, "alias": alias})

    def versions(self, name: str) -> Iterator[ModelVersion]:
        """Give every version of a model, the newest first; none where there is no such model."""
        path = "registered-models/get"
        try:
            model = self._call("GET", path, {"name": name}, _ModelAnswer).registered_model
        except ServerError as error:
            if error.code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return
        # A search does not tell aliases.
        aliases: dict[str, list[str]] = {}
        for item in model.aliases:
            aliases.setdefault(item.version, []).append(item.alias)
        quote = '"' if "'" in name else "'"
        for version in self._search(f"name={quote}{name}{quote}"):
            named = tuple(sorted(aliases.get(version.version, ())))
            yield msgspec.structs.replace(version, aliases=named)

    def versions_of_runs(self, run_ids: Sequence[str]) -> Iterator[ModelVersion]:
        """Give every version that comes from one of these runs, without its aliases."""
        for at in range(0, len(run_ids), _RUNS_AT_ONCE):
            quoted = ", ".join(f"'{run_id}'" for run_id in run_ids[at : at + _RUNS_AT_ONCE])
            yield from self._search(f"run_id IN ({quoted})")

    def _search(self, filter_string: str) -> Iterator[ModelVersion]:
        query: dict[str, Any] = {
            "filter": filter_string,
            "max_results": _PAGE,
            "order_by": "version_number DESC",
        }
        while True:
            answer = self._call("GET", "model-versions/search", query, _VersionsAnswer)
            yield from (item.value_of() for item in answer.model_versions)
            if not answer.next_page_token:
                return
            query["page_token"] = answer.next_page_token

    def address(self, name: str, version: str) -> str:
        """Return where a version's files are; `models:/` sources are resolved."""
        query = {"name": name, "version": version}
        path = "model-versions/get-download-uri"
        return self._call("GET", path, query, _AddressAnswer).artifact_uri

    def describe_version(self, name: str, version: str, description: str) -> None:
        """Set a version's description."""
        body = {"name": name, "version": version, "description": description}
        self._call("PATCH", "model-versions/update", body, Empty)

    def delete_version(self, name: str, version: str) -> None:
        """Delete a version; its number is not given again."""
        self._call("DELETE", "model-versions/delete", {"name": name, "version": version}, Empty)

    def tag_version(self, name: str, version: str, key: str, value: str) -> None:
        """Set a version's tag."""
        body = {
            "name": name,
            "version": version,
            "key": key,
            "value": cut(value, MAX_REGISTRY_TAG_LENGTH),
        }
        self._call("POST", "model-versions/set-tag", body, Empty)

    def untag_version(self, name: str, version: str, key: str) -> None:
        """Remove a version's tag, if it is there."""
        body = {"name": name, "version": version, "key": key}
        self._call("DELETE", "model-versions/delete-tag", body, Empty)

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Let an alias stand for a version, and for no other any more."""
        body = {"name": name, "alias": alias, "version": version}
        self._call("POST", "registered-models/alias", body, Empty)

    def delete_alias(self, name: str, alias: str) -> None:
        """Remove an alias, if it is there."""
        self._call("DELETE", "registered-models/alias", {"name": name, "alias": alias}, Empty)

    def _version(self, method: str, path: str, body: object) -> ModelVersion:
        return self._call(method, path, body, _VersionAnswer).model_version.value_of()

    def _call(self, method: str, path: str, body: object, answer: type[T]) -> T:
        return self._transport.call(method, path, body, answer)
