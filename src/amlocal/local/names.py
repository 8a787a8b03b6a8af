"""Names that are made up for jobs, in Azure's manner."""

from __future__ import annotations

import random
import string

_ADJECTIVES = ["amiable", "brave", "calm", "clever", "cool", "dynamic", "eager", "frosty", "gentle", "happy", "helpful", "honest", "icy", "jolly", "keen", "khaki", "lemon", "loyal", "mango", "mellow", "musing", "neat", "olive", "patient", "plucky", "polite", "quiet", "red", "sharp", "silver", "sincere", "sleepy", "strong", "sweet", "teal", "tidy", "upbeat", "wheat", "willing", "yellow", "zen"]
_NOUNS = ["apple", "atemoya", "bag", "bean", "bell", "berry", "bird", "boat", "bread", "brush", "cabbage", "camera", "candle", "carpet", "cherry", "coat", "cup", "drain", "engine", "fig", "fish", "flower", "garden", "grape", "hamster", "insect", "jelly", "kettle", "kite", "lamp", "leaf", "lizard", "market", "moon", "napkin", "oven", "pear", "pen", "pipe", "rail", "rice", "river", "root", "seal", "shirt", "soca", "spade", "star", "sugar", "tail", "tooth", "town", "tray", "vinegar", "wall", "yam", "yuca"]


def job_name() -> str:
    """Return a new name such as `helpful_kite_2v7q0d4ymx`."""
    source = random.SystemRandom()
    suffix = "".join(source.choices(string.ascii_lowercase + string.digits, k=10))
    return f"{source.choice(_ADJECTIVES)}_{source.choice(_NOUNS)}_{suffix}"
