"""Analyses of a trained model: why it predicts what it does, where it errs, and whom it treats how.

The components explain and responsible_ai are made of it, and so are Azure's `rai_tabular_*`
components where a job that names them runs on this machine (`python -m raikit`).
"""
