"""The environment variables of a running job, as Azure sets them: pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from amlocal.plan import Distribution

#: Stands where Azure has the subscription's id.
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """Who a run is.

    Attributes:
        job: The job's or step's name.
        root: Name of the job that was submitted.
        workspace: Name of the workspace.
        tracking_uri: Address of the MLflow server.
        experiment: Name of the MLflow experiment.
        experiment_id: Its id.
        run_id: The MLflow run.
    """

    job: str
    root: str
    workspace: str
    tracking_uri: str
    experiment: str
    experiment_id: str
    run_id: str


def identity_variables(run: RunIdentity) -> dict[str, str]:
    """Return the variables by which a script knows its run."""
    return {
        "AZUREML_RUN_ID": run.job,
        "AZUREML_ROOT_RUN_ID": run.root,
        "AZUREML_EXPERIMENT_NAME": run.experiment,
        "AZUREML_EXPERIMENT_ID": run.experiment_id,
        "AZUREML_ARM_SUBSCRIPTION": SUBSCRIPTION,
        "AZUREML_ARM_RESOURCEGROUP": "local",
        "AZUREML_ARM_WORKSPACE_NAME": run.workspace,
        "AZUREML_ARM_PROJECT_NAME": run.experiment,
        "MLFLOW_TRACKING_URI": run.tracking_uri,
        "MLFLOW_RUN_ID": run.run_id,
        "MLFLOW_EXPERIMENT_ID": run.experiment_id,
        "MLFLOW_EXPERIMENT_NAME": run.experiment,
        # MLflow's usage reports need the network; their thread changes the environment while
        # requests read it, which made steps fail now and then.
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # Addresses in a log would be dead once the server has been started anew.
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    }


def thread_variables(environ: Mapping[str, str], threads: int) -> dict[str, str]:
    """Return the thread limits of numeric libraries, where the user has not set them.

    Processes side by side that each take every core slow each other down many times over.
    """
    return {name: str(threads) for name in _THREADS if name not in environ}


def process_variables(
    distribution: Distribution | None, nodes: int, port: int
) -> list[dict[str, str]]:
    """Return what differs between the processes of a step: one entry for each process.

    Nodes are played by processes on this machine. The names are those of `torch.distributed`
    (env:// initialisation), of TensorFlow's `TF_CONFIG`, and of Azure ML.

    Args:
        distribution: How the step spreads, or None.
        nodes: Nodes asked for.
        port: A free port for the processes to meet at.
    """
    if distribution is None:
        return [
            {"AZUREML_CR_NODE_RANK": str(node), "NODE_RANK": str(node)} for node in range(nodes)
        ]
    if distribution.type == "tensorflow":
        return _tensorflow(distribution, nodes, port)
    each = distribution.process_count_per_instance
    common = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": str(each * nodes),
        "AZ_BATCHAI_MPI_MASTER_NODE": "127.0.0.1",
    }
    return [
        {
            **common,
            "RANK": str(node * each + local),
            "LOCAL_RANK": str(local),
            "LOCAL_WORLD_SIZE": str(each),
            "NODE_RANK": str(node),
            "AZUREML_CR_NODE_RANK": str(node),
            **(
                {
                    "OMPI_COMM_WORLD_RANK": str(node * each + local),
                    "OMPI_COMM_WORLD_LOCAL_RANK": str(local),
                    "OMPI_COMM_WORLD_SIZE": str(each * nodes),
                }
                if distribution.type == "mpi"
                else {}
            ),
        }
        for node in range(nodes)
        for local in range(each)
    ]


def _tensorflow(distribution: Distribution, nodes: int, port: int) -> list[dict[str, str]]:
    workers = distribution.worker_count or nodes
    members = [("worker", i) for i in range(workers)]
    members += [("ps", i) for i in range(distribution.parameter_server_count)]
    cluster: dict[str, list[str]] = {}
    for offset, (role, _) in enumerate(members):
        cluster.setdefault(role, []).append(f"127.0.0.1:{port + offset}")
    return [
        {
            "TF_CONFIG": json.dumps(
                {"cluster": cluster, "task": {"type": role, "index": index}, "environment": "cloud"}
            ),
            "NODE_RANK": str(number),
            "AZUREML_CR_NODE_RANK": str(number),
        }
        for number, (role, index) in enumerate(members)
    ]
