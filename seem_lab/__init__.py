"""seem_lab: why a Q-value blows up, read off one eigenvalue."""

from seem_lab.adam_runs import AdamRuns, stored_adam_runs
from seem_lab.behaviours import random_linear
from seem_lab.bootstraps import behaviour_penalty, in_sample_actions, n_step_returns, scale_rewards
from seem_lab.early_warning import Auroc, auroc, auroc_gain, early_warning, time_constants
from seem_lab.forecast import Forecast, forecast_crash, forecast_network, forecast_run
from seem_lab.frozen_dynamics import (
    FrozenKernels,
    KernelProducts,
    adam_preconditioner,
    clipped_double_q,
    double_q,
    frozen_kernels,
    jacobian,
)
from seem_lab.frozen_kernel import frozen_kernel_growth
from seem_lab.grid_world import grid_world, true_values
from seem_lab.growth import (
    Fit,
    fit_free_exponent,
    fit_inverse_power,
    fit_kernel_exponent,
    fit_line,
    fit_power,
    growth_exponent,
    terminal_start,
)
from seem_lab.infinite_width import infinite_width_ntk
from seem_lab.kernel_profiles import ntk_map, ntk_ray, ray_exponent
from seem_lab.kernels import ntk
from seem_lab.layer_norm import KernelBound, insert_layer_norm, kernel_bound
from seem_lab.maze import MazeEnv, MazeRuns, maze, maze_step, record_maze, run_maze
from seem_lab.minari_sets import from_minari, normalised_score, to_minari
from seem_lab.minibatch_noise import mean_square_growth
from seem_lab.monitor import SeemMonitor
from seem_lab.networks import linear_q, mlp, q_values
from seem_lab.optimizers import GradientDescent, clipped
from seem_lab.problems import (
    Problem,
    baird_star,
    baird_weights,
    random_features,
    recorded,
    toy_walk,
    two_state_loop,
)
from seem_lab.provenance import Provenance, load_recorded, save_recording
from seem_lab.recording import Recording, make_environment, record
from seem_lab.regularisers import batch_norm, dropout, spectral_norm, weight_norm
from seem_lab.remedies import Remedy, remedies, remedies_table, run_remedy, summarise_remedies
from seem_lab.seem import Seem, leading_mode, seem, seem_matrix
from seem_lab.stability import Stability, StabilityMap, spectral_radius, stability, stability_map
from seem_lab.stacked_training import train_stacked
from seem_lab.sweeps import sweep
from seem_lab.targets import BatchTarget, DoubleQ, EmaTarget, LiveTarget, QuietTarget
from seem_lab.training import History, step_size, train
from seem_lab.transitions import Transitions
from seem_lab.uncertainty import SeemInterval, seem_interval
from seem_lab.update_maps import UpdateMap
from seem_lab.validation import Validation, validate

__version__ = "0.1.0"
__all__ = [
    "AdamRuns",
    "Auroc",
    "BatchTarget",
    "DoubleQ",
    "EmaTarget",
    "Fit",
    "Forecast",
    "FrozenKernels",
    "GradientDescent",
    "History",
    "KernelBound",
    "KernelProducts",
    "LiveTarget",
    "MazeEnv",
    "MazeRuns",
    "Problem",
    "Provenance",
    "QuietTarget",
    "Recording",
    "Remedy",
    "Seem",
    "SeemInterval",
    "SeemMonitor",
    "Stability",
    "StabilityMap",
    "Transitions",
    "UpdateMap",
    "Validation",
    "adam_preconditioner",
    "auroc",
    "auroc_gain",
    "baird_star",
    "baird_weights",
    "batch_norm",
    "behaviour_penalty",
    "clipped",
    "clipped_double_q",
    "double_q",
    "dropout",
    "early_warning",
    "fit_free_exponent",
    "fit_inverse_power",
    "fit_kernel_exponent",
    "fit_line",
    "fit_power",
    "forecast_crash",
    "forecast_network",
    "forecast_run",
    "from_minari",
    "frozen_kernel_growth",
    "frozen_kernels",
    "grid_world",
    "growth_exponent",
    "in_sample_actions",
    "infinite_width_ntk",
    "insert_layer_norm",
    "jacobian",
    "kernel_bound",
    "leading_mode",
    "linear_q",
    "load_recorded",
    "make_environment",
    "maze",
    "maze_step",
    "mean_square_growth",
    "mlp",
    "n_step_returns",
    "normalised_score",
    "ntk",
    "ntk_map",
    "ntk_ray",
    "q_values",
    "random_features",
    "random_linear",
    "ray_exponent",
    "record",
    "record_maze",
    "recorded",
    "remedies",
    "remedies_table",
    "run_maze",
    "run_remedy",
    "save_recording",
    "scale_rewards",
    "seem",
    "seem_interval",
    "seem_matrix",
    "spectral_norm",
    "spectral_radius",
    "stability",
    "stability_map",
    "step_size",
    "stored_adam_runs",
    "summarise_remedies",
    "sweep",
    "terminal_start",
    "time_constants",
    "to_minari",
    "toy_walk",
    "train",
    "train_stacked",
    "true_values",
    "two_state_loop",
    "validate",
    "weight_norm",
]
