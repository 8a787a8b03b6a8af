"""Progressive rollouts: the traffic of an endpoint goes over to a new deployment, stage by stage.

`judge` compares counts by stated statistics, and touches nothing; `conduct` sets the traffic,
watches, and returns to the traffic from before where a rule is breached. Both know only the
protocols of `amlocal.endpoint_operations`, and so are the same on this machine and in Azure.
"""
