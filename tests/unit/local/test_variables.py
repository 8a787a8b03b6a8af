from __future__ import annotations

import json

from amlocal.local.variables import (
    RunIdentity,
    identity_variables,
    process_variables,
    thread_variables,
)
from amlocal.plan import Distribution

RUN = RunIdentity(
    job="job_step",
    root="job",
    workspace="project",
    tracking_uri="http://127.0.0.1:5000",
    experiment="trials",
    experiment_id="7",
    run_id="abc",
)


def test_a_script_knows_its_run() -> None:
    variables = identity_variables(RUN)
    assert variables["AZUREML_RUN_ID"] == "job_step"
    assert variables["AZUREML_ROOT_RUN_ID"] == "job"
    assert variables["AZUREML_EXPERIMENT_NAME"] == variables["MLFLOW_EXPERIMENT_NAME"] == "trials"
    assert variables["AZUREML_EXPERIMENT_ID"] == variables["MLFLOW_EXPERIMENT_ID"] == "7"
    assert variables["AZUREML_ARM_WORKSPACE_NAME"] == "project"
    assert variables["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:5000"
    assert variables["MLFLOW_RUN_ID"] == "abc"
    assert variables["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert variables["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] == "true"
    assert variables.keys() >= {
        "AZUREML_ARM_SUBSCRIPTION",
        "AZUREML_ARM_RESOURCEGROUP",
        "AZUREML_ARM_PROJECT_NAME",
    }


def test_thread_limits_leave_what_the_user_has_set() -> None:
    variables = thread_variables({"OMP_NUM_THREADS": "7"}, 2)
    assert "OMP_NUM_THREADS" not in variables
    assert variables["MKL_NUM_THREADS"] == variables["OPENBLAS_NUM_THREADS"] == "2"


def test_one_process_where_nothing_is_said() -> None:
    assert process_variables(None, 1, 0) == [{"AZUREML_CR_NODE_RANK": "0", "NODE_RANK": "0"}]


def test_one_process_for_each_node() -> None:
    ranks = process_variables(None, 3, 0)
    assert [rank["AZUREML_CR_NODE_RANK"] for rank in ranks] == ["0", "1", "2"]


def test_pytorch_ranks_go_over_nodes() -> None:
    ranks = process_variables(Distribution(type="pytorch", process_count_per_instance=2), 2, 4242)
    assert [
        (rank["RANK"], rank["LOCAL_RANK"], rank["NODE_RANK"], rank["AZUREML_CR_NODE_RANK"])
        for rank in ranks
    ] == [("0", "0", "0", "0"), ("1", "1", "0", "0"), ("2", "0", "1", "1"), ("3", "1", "1", "1")]
    for rank in ranks:
        assert rank["WORLD_SIZE"] == "4"
        assert rank["LOCAL_WORLD_SIZE"] == "2"
        assert (rank["MASTER_ADDR"], rank["MASTER_PORT"]) == ("127.0.0.1", "4242")
        assert not any(name.startswith("OMPI_") for name in rank)


def test_mpi_has_open_mpis_names_too() -> None:
    ranks = process_variables(Distribution(type="mpi", process_count_per_instance=2), 1, 1)
    assert [
        (rank["OMPI_COMM_WORLD_RANK"], rank["OMPI_COMM_WORLD_LOCAL_RANK"]) for rank in ranks
    ] == [("0", "0"), ("1", "1")]
    assert {rank["OMPI_COMM_WORLD_SIZE"] for rank in ranks} == {"2"}
    assert {rank["AZ_BATCHAI_MPI_MASTER_NODE"] for rank in ranks} == {"127.0.0.1"}


def test_tensorflow_has_a_cluster_of_workers_and_parameter_servers() -> None:
    distribution = Distribution(type="tensorflow", worker_count=2, parameter_server_count=1)
    ranks = process_variables(distribution, 1, 5000)
    configs = [json.loads(rank["TF_CONFIG"]) for rank in ranks]
    assert [config["task"] for config in configs] == [
        {"type": "worker", "index": 0},
        {"type": "worker", "index": 1},
        {"type": "ps", "index": 0},
    ]
    for config in configs:
        assert config["cluster"] == {
            "worker": ["127.0.0.1:5000", "127.0.0.1:5001"],
            "ps": ["127.0.0.1:5002"],
        }


def test_tensorflow_workers_are_as_many_as_nodes_by_default() -> None:
    assert len(process_variables(Distribution(type="tensorflow"), 3, 5000)) == 3
