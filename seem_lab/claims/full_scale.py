"""Rows on real control data and real critics."""

from __future__ import annotations

from seem_lab.claims.claim import Claim

NO_TABLE = "no stored result of full-scale critics yet"
CLAIMS = (
    Claim(
        name="full-scale-warning",
        says="On benchmark tasks, too, SEEM surges before the values of a critic explode.",
        setting="offline actor-critic training on control data",
        lesson="10",
        reason=NO_TABLE,
    ),
    Claim(
        name="returns",
        says="With LayerNorm the learned policies earn better returns.",
        setting="offline actor-critic training, with and without",
        lesson="10",
        reason=NO_TABLE,
    ),
    Claim(
        name="few-data",
        says="LayerNorm still works with 1 % of the data, where earlier methods fail.",
        setting="the same on a hundredth of the transitions",
        lesson="10",
        reason=NO_TABLE,
    ),
    Claim(
        name="plugs-in",
        says="LayerNorm can be put into modern offline methods as it is, and improves them.",
        setting="TD3+BC, CQL and Diffusion-QL, with and without",
        lesson="10",
        reason=NO_TABLE,
    ),
    Claim(
        name="state-of-the-art",
        says="With it, the best published returns are reached on hard benchmark tasks (D4RL's AntMaze above all).",
        setting="D4RL",
        lesson="10",
        reason="the data of D4RL are not in this repository, and published scores need those very data",
    ),
)
