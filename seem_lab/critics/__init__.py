"""Critics and policies at full scale, learned from recorded transitions: TD3 and its friends, on CPU or CUDA.

from seem_lab.critics import RunOptions, TD3Options, train_agent

run = train_agent(TD3Options(layer_norm=True, tau=1.0), data, RunOptions(steps=4000), environment="Hopper-v5")
run.verdict, run.log.table(), run.evaluations[4000].mean
"""

from seem_lab.critics.agent import Agent
from seem_lab.critics.behaviour_cloning import BehaviourCloning, BehaviourCloningOptions
from seem_lab.critics.cql import CQL, CQLOptions
from seem_lab.critics.diffusion_ql import DiffusionQL, DiffusionQLOptions
from seem_lab.critics.evaluation import Evaluation, evaluate
from seem_lab.critics.methods import METHODS, agent_for
from seem_lab.critics.options import CriticOptions, PolicyOptions
from seem_lab.critics.replay import Batch, Replay, Scaling
from seem_lab.critics.run import Run, RunOptions
from seem_lab.critics.td3 import TD3, TD3Options
from seem_lab.critics.together import train_together
from seem_lab.critics.trainer import train_agent

__all__ = [
    "CQL",
    "METHODS",
    "TD3",
    "Agent",
    "Batch",
    "BehaviourCloning",
    "BehaviourCloningOptions",
    "CQLOptions",
    "CriticOptions",
    "DiffusionQL",
    "DiffusionQLOptions",
    "Evaluation",
    "PolicyOptions",
    "Replay",
    "Run",
    "RunOptions",
    "Scaling",
    "TD3Options",
    "agent_for",
    "evaluate",
    "train_agent",
    "train_together",
]
