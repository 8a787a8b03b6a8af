"""What a model monitor computes: drift, quality, attribution, and performance of production data.

`python -m monitorkit` runs one monitor as a process of its own; `request` says what is asked of it.
"""
