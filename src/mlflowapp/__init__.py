"""The workspace's MLflow server: MLflow's own, which takes in models as an Azure workspace does.

    mlflow server --app-name amlocal ...

`MlflowClient().create_model_version(name, source="file:///some/folder")` uploads the folder in
Azure: the address of the version is one in the workspace. MLflow's server refuses such a source,
since it would have to read any path that it is told. Here it copies the folder among its artifacts,
if the folder is an MLflow model, and if the request is of the same user's (`uploads`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI


def create_app() -> FastAPI:
    """Return the server's application; MLflow calls it (entry point `mlflow.app`)."""
    # The command that starts the server looks this function up too: only the server itself pays.
    from mlflow.server import ARTIFACTS_DESTINATION_ENV_VAR, fastapi_app
    from starlette.middleware import Middleware

    from mlflowapp.uploads import ModelUploads, artifacts_folder

    folder = artifacts_folder(ARTIFACTS_DESTINATION_ENV_VAR)
    app: FastAPI = fastapi_app.app
    # Last, so that MLflow's checks of host and origin come first; `add_middleware` puts in front.
    app.user_middleware.append(Middleware(ModelUploads, folder=folder))
    return app
