"""Endpoints of this machine: deployments, their instances, and the router before them."""
