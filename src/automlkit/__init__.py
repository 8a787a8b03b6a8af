"""AutoML for tables: featurization, learners, search, ensembles, and forecasting.

Knows nothing of jobs: it reads a request and tables, and writes events and a model, so that the
engine may run it in a process with a hard deadline. It never imports `amlocal`.
"""
