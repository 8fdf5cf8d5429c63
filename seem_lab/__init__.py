"""seem_lab: why a Q-value blows up, read off one eigenvalue."""

from seem_lab.kernels import ntk
from seem_lab.monitor import SeemMonitor
from seem_lab.networks import linear_q, mlp, q_values
from seem_lab.problems import (
    Problem,
    baird_star,
    baird_weights,
    random_features,
    recorded,
    toy_walk,
    two_state_loop,
)
from seem_lab.seem import Seem, leading_mode, seem, seem_matrix
from seem_lab.training import History, step_size, train
from seem_lab.transitions import Transitions
from seem_lab.uncertainty import SeemInterval, seem_interval

__version__ = "0.1.0.dev0"
__all__ = [
    "History",
    "Problem",
    "Seem",
    "SeemInterval",
    "SeemMonitor",
    "Transitions",
    "baird_star",
    "baird_weights",
    "leading_mode",
    "linear_q",
    "mlp",
    "ntk",
    "q_values",
    "random_features",
    "recorded",
    "seem",
    "seem_interval",
    "seem_matrix",
    "step_size",
    "toy_walk",
    "train",
    "two_state_loop",
]
