"""The supervisor: one process a workspace, which makes endpoints what the records want of them.

::

    service      looks at the records when it is woken; one EndpointRun for each endpoint
    endpoint     the router's table: which instances serve, and who gets how much of the traffic
    deployment   brings versions up beside each other, switches, and drains the old one
    fleet        as many instances of a version as are wanted: replaces those that end
    instance     one process; probes ask how it is
    router       the process that answers at the endpoint's port, and the line to it

It runs one event loop; what takes long (building an environment, MLflow) goes to threads. Nothing
of it polls but the probes, so it takes no time of the processor where nothing happens.
"""
