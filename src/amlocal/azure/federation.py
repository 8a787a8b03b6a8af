"""Who signs requests: a pipeline's run, for as long as it lasts, else whoever is signed in.

GitHub and Azure Pipelines give a run a token of minutes, for which Azure gives one of about an
hour. `az login` keeps the first token, so after that hour it can get no other (AADSTS700024). Here
a new one is fetched from the pipeline each time that Azure asks, so that a training of hours can be
followed.

Sources: "OpenID Connect reference" in GitHub's documentation; `AzurePipelinesCredential` in that of
azure-identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import requests

from amlocal.errors import TargetError

#: What GitHub sets in a job that may have a token (`permissions: id-token: write`).
_GITHUB = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
#: Whom a token of GitHub's is exchanged for; the workflow sets them.
_IDENTITY = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID")
#: What the task `AzureCLI@2` sets of a service connection by federation; the last one is mapped by
#: the pipeline's file. `SYSTEM_OIDCREQUESTURI` is read by azure-identity.
_PIPELINES = {
    "tenant_id": "AZURESUBSCRIPTION_TENANT_ID",
    "client_id": "AZURESUBSCRIPTION_CLIENT_ID",
    "service_connection_id": "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
    "system_access_token": "SYSTEM_ACCESSTOKEN",
}
_AUDIENCE = "api://AzureADTokenExchange"
_SECONDS = 30


def credential(environ: Mapping[str, str], **settings: Any) -> Any:
    """Return what gets tokens of Azure: `AzurePipelinesCredential` and its like.

    Args:
        environ: The environment to read.
        settings: Of azure-identity, such as its `transport`.
    """
    from azure.identity import (  # slow, and not needed for a dry run
        AzurePipelinesCredential,
        ClientAssertionCredential,
        DefaultAzureCredential,
    )

    if all(environ.get(name) for name in (*_GITHUB, *_IDENTITY)):
        address, token = (environ[name] for name in _GITHUB)
        tenant, client = (environ[name] for name in _IDENTITY)
        ask = partial(github_token, address, token)
        return ClientAssertionCredential(tenant, client, ask, **settings)
    if all(environ.get(name) for name in ("SYSTEM_OIDCREQUESTURI", *_PIPELINES.values())):
        named = {key: environ[name] for key, name in _PIPELINES.items()}
        return AzurePipelinesCredential(**named, **settings)
    return DefaultAzureCredential(**settings)


def github_token(address: str, token: str) -> str:
    """Return a new token of a run of GitHub Actions, that Azure exchanges.

    Args:
        address: `ACTIONS_ID_TOKEN_REQUEST_URL`.
        token: `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.

    Raises:
        TargetError: GitHub gives none.
    """
    try:
        answer = requests.get(
            address,
            params={"audience": _AUDIENCE},
            headers={"Authorization": f"bearer {token}"},
            timeout=_SECONDS,
        )
        answer.raise_for_status()
        return str(answer.json()["value"])
    except (requests.RequestException, KeyError, ValueError) as error:
        raise TargetError(
            f"GitHub gave no token of this run: {error}",
            hint="the job needs `permissions: id-token: write`; run it again if it has that",
        ) from error
