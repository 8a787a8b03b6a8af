"""The online endpoints of a local workspace, by `MLClient`'s verbs."""

from __future__ import annotations

import http.client
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlocal.errors import TargetError, UsageError
from amlocal.local.compiler import EndpointCompiler
from amlocal.local.endpoints.keys import read_keys, regenerate
from amlocal.local.endpoints.metrics import parse_metrics
from amlocal.local.endpoints.pollers import BACK_SECONDS, RecordPoller, wait_until_back
from amlocal.local.endpoints.records import EndpointRecord, EndpointRecords
from amlocal.local.endpoints.rules import check_name, wanted_endpoint
from amlocal.local.endpoints.supervision import Supervision
from amlocal.local.endpoints.uris import HOST, openapi_uri, scoring_uri
from amlocal.local.records import timestamp
from amlocal.local.workspace import Workspace
from amlocal.plan import Answer, DeploymentMetrics, EndpointCredentials, OnlineEndpointInfo
from amlocal.plan.endpoint_info import DELETING

#: Seconds that an answer may take: more than Azure lets a deployment set.
_ANSWER_SECONDS = 200.0


@dataclass(frozen=True, slots=True)
class OnlineEndpoints:
    """The online endpoints of a workspace; see `amlocal.endpoint_operations`.

    Attributes:
        workspace: The workspace.
        records: What is wanted of them, and what came of it.
        supervision: Who sees to it.
        compiler: Turns files into plans.
    """

    workspace: Workspace
    records: EndpointRecords
    supervision: Supervision
    compiler: EndpointCompiler

    def begin_create_or_update(
        self, endpoint: Any, *, overrides: Sequence[str] = (), name: str | None = None
    ) -> RecordPoller[OnlineEndpointInfo]:
        """Create an endpoint, or change its traffic, mirrored traffic, description, and tags.

        What is not said stays as it is.

        Raises:
            SpecError: The file is wrong.
            UsageError: The traffic breaks a rule, or goes to a deployment that is not there or not
                ready.
            TargetError: The supervisor does not start.
        """
        plan = self.compiler.load_online_endpoint(endpoint, overrides=overrides, name=name)
        check_name("endpoint", plan.name)
        self.workspace.create()
        self.records.want_endpoint(
            plan.name, lambda old, all_: wanted_endpoint(plan, old, all_, overrides)
        )
        self.supervision.ensure()
        return self._poller(plan.name)

    def _poller(self, name: str) -> RecordPoller[OnlineEndpointInfo]:
        return RecordPoller(
            f"endpoint {name!r}",
            lambda: self.records.find(name),
            lambda: self.get(name),
            self.supervision,
        )

    def get(self, name: str) -> OnlineEndpointInfo:
        """Return an endpoint; raises NotFoundError."""
        record = self.records.get(name)
        if self.supervision.revive():
            record = self.records.get(name)
        return self._info(record)

    def list(self) -> Sequence[OnlineEndpointInfo]:
        """Return all endpoints, by name."""
        records = self.records.endpoints()
        if records and self.supervision.revive():
            records = self.records.endpoints()
        return [self._info(record) for record in records]

    def _info(self, record: EndpointRecord) -> OnlineEndpointInfo:
        is_up = record.port != 0 and self.supervision.is_alive()
        plan = record.plan
        return OnlineEndpointInfo(
            name=record.name,
            auth_mode=plan.auth_mode,
            provisioning_state=record.state,
            scoring_uri=scoring_uri(record.port) if is_up else "",
            openapi_uri=openapi_uri(record.port) if is_up else "",
            traffic=dict(record.traffic),
            mirror_traffic=dict(record.mirror_traffic),
            deployments=tuple(each.name for each in self.records.deployments(record.name)),
            error=record.error,
            warnings=tuple(warning.message for warning in plan.warnings),
            description=plan.description,
            tags=plan.tags,
            properties=plan.properties,
            creation_time=timestamp(record.created),
        )

    def begin_delete(self, name: str) -> RecordPoller[None]:
        """Delete an endpoint with all its deployments, once its requests are answered.

        Raises:
            NotFoundError: There is no such endpoint.
        """
        self.records.want_no_endpoint(name)
        self.supervision.ensure()
        return RecordPoller(
            f"the end of endpoint {name!r}",
            lambda: self.records.find(name),
            lambda: None,
            self.supervision,
        )

    def invoke(
        self,
        endpoint_name: str,
        *,
        request_file: str | os.PathLike[str],
        deployment_name: str | None = None,
    ) -> Answer:
        """Post a file to an endpoint, or past its traffic rules to one of its deployments.

        Raises:
            NotFoundError: There is no such endpoint or deployment.
            UsageError: The file cannot be read.
            TargetError: The endpoint is down.
        """
        record = self.records.get(endpoint_name)
        if deployment_name is not None:
            self.records.get_deployment(endpoint_name, deployment_name)
        try:
            body = Path(request_file).read_bytes()
        except OSError as error:
            raise UsageError(f"{request_file} cannot be read: {error.strerror}") from error
        headers = {"Content-Type": "application/json", "Authorization": self._opener(record)}
        if deployment_name is not None:
            headers["azureml-model-deployment"] = deployment_name
        return self._ask(record, "POST", "/score", body, headers)

    def _opener(self, record: EndpointRecord) -> str:
        found = self._credentials(record)
        return f"Bearer {found.primary_key or found.access_token}"

    def _ask(
        self,
        record: EndpointRecord,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        self.supervision.revive()
        # Also where another command has just started it: nobody listens yet.
        wait_until_back(self.records, BACK_SECONDS, record.name)
        if record.port == 0:
            record = self._settled(record)
        if not self.supervision.is_alive():
            raise TargetError(
                f"endpoint {record.name!r} is down", hint="start it with: aml workspace up"
            )
        # Past any proxy, as `http.client` goes.
        connection = http.client.HTTPConnection(HOST, record.port, timeout=_ANSWER_SECONDS)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            found = {name.lower(): value for name, value in answer.getheaders()}
        except (OSError, http.client.HTTPException) as error:
            raise TargetError(
                f"endpoint {record.name!r} does not answer: {error}",
                hint=f"see {self.supervision.layout.router_log(record.name)}",
            ) from error
        finally:
            connection.close()
        return Answer(status=answer.status, body=text, headers=found)

    def _settled(self, record: EndpointRecord) -> EndpointRecord:
        """Return an endpoint that is just being created, once it has its port."""
        self._poller(record.name).result(BACK_SECONDS)
        return self.records.get(record.name)

    def get_keys(self, name: str) -> EndpointCredentials:
        """Return an endpoint's keys, or a token where its `auth_mode` has tokens.

        Raises:
            NotFoundError: There is no such endpoint.
        """
        return self._credentials(self.records.get(name))

    def _credentials(self, record: EndpointRecord) -> EndpointCredentials:
        keys = read_keys(self.supervision.layout.keys(record.name))
        return keys.credentials(record.plan.auth_mode, record.name)

    def begin_regenerate_keys(
        self, name: str, *, key_type: str = "primary"
    ) -> RecordPoller[EndpointCredentials]:
        """Make one of an endpoint's keys anew, `primary` or `secondary`; the other one holds.

        When it is done, the old key opens nothing any more.

        Raises:
            NotFoundError: There is no such endpoint.
            UsageError: There is no such key, or the endpoint has none.
        """
        record = self.records.get(name)
        if record.plan.auth_mode != "key":
            raise UsageError(
                f"endpoint {name!r} has auth_mode {record.plan.auth_mode}, and no keys",
                hint="its tokens end by themselves",
            )
        if record.state == DELETING:
            raise UsageError(f"endpoint {name!r} is being deleted")
        regenerate(self.supervision.layout.keys(name), key_type)
        self.records.touch_endpoint(name)
        self.supervision.ensure()
        return RecordPoller(
            f"endpoint {name!r}",
            lambda: self.records.find(name),
            lambda: self.get_keys(name),
            self.supervision,
        )

    def metrics(self, endpoint_name: str) -> Mapping[str, DeploymentMetrics]:
        """Return what each deployment of an endpoint has done, by the deployment's name.

        Raises:
            NotFoundError: There is no such endpoint.
            TargetError: The endpoint is down, or does not tell.
        """
        answer = self._ask(self.records.get(endpoint_name), "GET", "/metrics")
        if answer.status != http.client.OK:
            raise TargetError(f"the metrics of {endpoint_name!r} are not told: {answer.status}")
        names = [record.name for record in self.records.deployments(endpoint_name)]
        return parse_metrics(answer.body, names)
