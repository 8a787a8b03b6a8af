"""What models that AutoML delivers are made of, beside scikit-learn's and the learners' own classes.

It goes with each model as code, so that a model can be loaded where amlocal is not installed: it
needs numpy, pandas, and scikit-learn, and imports nothing else of this project.
"""
