"""Checks for the exercises: each takes the reader's function (or value) and says "right", or what is off."""

from seem_lab.checks.check import Check, compare
from seem_lab.checks.lesson_00 import check_diverged_share, check_td_error
from seem_lab.checks.lesson_01 import check_loop_factor, check_overtaken, check_safe_learning_rate
from seem_lab.checks.lesson_02 import check_kernel_view, check_rate_and_crash, check_threshold_gamma
from seem_lab.checks.lesson_03 import check_bootstrap_moves, check_kernel_entry, check_tanh_kernel
from seem_lab.checks.lesson_04 import check_auroc, check_clock_against_constant, check_misses_and_false_alarms
from seem_lab.checks.lesson_05 import check_closed_form, check_discrete_map, check_flow_lag
from seem_lab.checks.lesson_06 import check_adam_moves, check_growth_orders, check_start_ratio, check_straighter_root
from seem_lab.checks.lesson_07 import check_kernel_multiple, check_layer_norm, check_wide_response
from seem_lab.checks.lesson_08 import check_following_target, check_misjudged, check_safe_horizon
from seem_lab.checks.lesson_09 import (
    check_growing_momentum,
    check_momentum_growth,
    check_slow_target,
    check_target_map,
)
from seem_lab.checks.lesson_10 import check_behaviour_loss, check_threshold, check_value_of_a_path
from seem_lab.checks.lesson_11 import check_median_interval, check_outcome, check_verdict

__all__ = [
    "Check",
    "check_adam_moves",
    "check_auroc",
    "check_behaviour_loss",
    "check_bootstrap_moves",
    "check_clock_against_constant",
    "check_closed_form",
    "check_discrete_map",
    "check_diverged_share",
    "check_flow_lag",
    "check_following_target",
    "check_growing_momentum",
    "check_growth_orders",
    "check_kernel_entry",
    "check_kernel_multiple",
    "check_kernel_view",
    "check_layer_norm",
    "check_loop_factor",
    "check_median_interval",
    "check_misjudged",
    "check_misses_and_false_alarms",
    "check_momentum_growth",
    "check_outcome",
    "check_overtaken",
    "check_rate_and_crash",
    "check_safe_horizon",
    "check_safe_learning_rate",
    "check_slow_target",
    "check_start_ratio",
    "check_straighter_root",
    "check_tanh_kernel",
    "check_target_map",
    "check_td_error",
    "check_threshold",
    "check_threshold_gamma",
    "check_value_of_a_path",
    "check_verdict",
    "check_wide_response",
    "compare",
]
