"""Tracking: the workspace's MLflow server, a client for it, and data sets as MLflow sees them.

`server` starts and ends the server through a small `keeper` process, and `state` is what they know
of each other. `transport`, `client`, `artifacts`, and `registry` speak MLflow's public REST API
(`/api/2.0/mlflow`, unchanged since MLflow 1, so that scripts with any MLflow version log to the
same server) without importing `mlflow`, which takes seconds. `datasets` describes data files.
"""
