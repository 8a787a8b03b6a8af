"""AutoML steps: a search in a process of its own, whose trials become jobs and runs."""
