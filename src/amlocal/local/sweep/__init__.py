"""Sweeps: points are sampled, trials run as jobs of their own, the best one's outputs are kept."""
