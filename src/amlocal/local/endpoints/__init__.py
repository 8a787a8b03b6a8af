"""Endpoints on this machine: what is wanted of them, and the processes that see to it.

Commands write what is wanted to the workspace's records and wake the supervisor, one process a
workspace, which starts routers and instances, watches them, and writes back what came of it.
"""
