"""What answers Azure's `rai_tabular_*` components: `python -m raikit TOOL`.

`constructor` brings a model and its tables together in a folder, each tool writes what it found
into a folder of its own, `gather` puts all of them into one dashboard, and `scorecard` makes a PDF
of that.
"""
