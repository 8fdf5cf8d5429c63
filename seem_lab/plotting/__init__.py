"""The pictures of the lessons: data in, a `LessonFigure` out, its description in `figure.alt`."""

from seem_lab.plotting.adam import (
    adam_step_sizes,
    climb_exponents,
    explosion_and_climb,
    predicted_rates,
    ratio_through_training,
    steady_climb,
)
from seem_lab.plotting.excitation import error_through_training, moves, signed_errors, value_chases_target
from seem_lab.plotting.figure import LessonFigure
from seem_lab.plotting.forecasts import (
    errors_and_switches,
    errors_by_start,
    false_alarm,
    forecast_errors,
    forecast_intervals,
)
from seem_lab.plotting.growth import (
    error_and_inverse,
    kernel_exponents,
    map_and_flow,
    scaling_orders,
    straightened_error,
)
from seem_lab.plotting.kernels import (
    generalisation_maps,
    kernel_drift,
    kernel_matrix,
    kernel_with_shapes,
    response_along_ray,
    seem_at_start,
)
from seem_lab.plotting.linear import (
    error_growth,
    error_plane,
    growth_per_step,
    pair_path,
    seem_by_discount,
    shared_spectrum,
    sign_and_growth,
    stability_circle,
    star_picture,
    transient_growth,
)
from seem_lab.plotting.one_step import (
    first_order_error,
    predicted_and_measured,
    residual_by_size,
    residual_distribution,
)
from seem_lab.plotting.readings import live_readings, seem_readings
from seem_lab.plotting.runs import crash_steps, q_through_training, walk_picture
from seem_lab.plotting.seem import (
    alarms_and_misses,
    auroc_over_time,
    mode_over_walk,
    seem_along_runs,
    seem_by_outcome,
    time_to_crash,
)
from seem_lab.plotting.stability import (
    errors_by_setting,
    frozen_and_measured,
    growth_ratios,
    multipliers_in_the_plane,
    phase_diagram,
)

__all__ = [
    "LessonFigure",
    "adam_step_sizes",
    "alarms_and_misses",
    "auroc_over_time",
    "climb_exponents",
    "crash_steps",
    "error_and_inverse",
    "error_growth",
    "error_plane",
    "error_through_training",
    "errors_and_switches",
    "errors_by_setting",
    "errors_by_start",
    "explosion_and_climb",
    "false_alarm",
    "first_order_error",
    "forecast_errors",
    "forecast_intervals",
    "frozen_and_measured",
    "generalisation_maps",
    "growth_per_step",
    "growth_ratios",
    "kernel_drift",
    "kernel_exponents",
    "kernel_matrix",
    "kernel_with_shapes",
    "live_readings",
    "map_and_flow",
    "mode_over_walk",
    "moves",
    "multipliers_in_the_plane",
    "pair_path",
    "phase_diagram",
    "predicted_and_measured",
    "predicted_rates",
    "q_through_training",
    "ratio_through_training",
    "residual_by_size",
    "residual_distribution",
    "response_along_ray",
    "scaling_orders",
    "seem_along_runs",
    "seem_at_start",
    "seem_by_discount",
    "seem_by_outcome",
    "seem_readings",
    "shared_spectrum",
    "sign_and_growth",
    "signed_errors",
    "stability_circle",
    "star_picture",
    "steady_climb",
    "straightened_error",
    "time_to_crash",
    "transient_growth",
    "value_chases_target",
    "walk_picture",
]
