"""The local target: jobs run on this machine."""
