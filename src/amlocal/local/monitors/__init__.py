"""Monitors' runs: what they compare, the step that runs `monitorkit`, and what a breach becomes."""
