"""Azure's `rai_tabular_*` components by Microsoft's own responsibleai.

`python -m raikit.microsoft TOOL` is the other engine of `raikit`: the same tools and arguments,
computed and written as Microsoft's components do (assets/responsibleai/tabular/components of
Azure/azureml-assets). It runs in an environment of its own, with Python 3.10, pandas 1.5, and NumPy
1.26, so it imports nothing of this project but what needs the standard library alone.
"""
