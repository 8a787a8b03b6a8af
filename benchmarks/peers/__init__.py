"""The tools that are compared, each run in its own documented local mode."""

from __future__ import annotations

from peers.aml import Aml
from peers.chain import Peer, Tools
from peers.dvc import Dvc
from peers.kfp import Kfp
from peers.metaflow import Metaflow
from peers.shell import Shell
from peers.snakemake import Snakemake

__all__ = ["PEERS", "Peer", "Tools"]

_PEERS: tuple[Peer, ...] = (Shell(), Aml(), Kfp(), Dvc(), Snakemake(), Metaflow())
PEERS = {peer.name: peer for peer in _PEERS}
