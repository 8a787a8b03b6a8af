"""The gate before a release: a policy, and what it says of a model's figures.

Used by the step `gate` and by `aml gate check`; only the standard library and PyYAML are imported.
Read `policy` (what is wanted), `evidence` (what was found), `judge` (whether that is it), and
`promotion` (what becomes of a model that passes).
"""
