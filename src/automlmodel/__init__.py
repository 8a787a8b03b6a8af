"""What AutoML's models are made of, beside classes of scikit-learn and of the learners.

It goes with each model as code, so that a model can be loaded where amlocal is not installed: it
needs numpy, pandas, and scikit-learn, and imports nothing else of this project.
"""
