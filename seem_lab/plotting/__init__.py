"""The pictures of the lessons: data in, a `LessonFigure` out, its description in `figure.alt`."""

from seem_lab.plotting.excitation import error_through_training, moves, signed_errors, value_chases_target
from seem_lab.plotting.figure import LessonFigure
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

__all__ = [
    "LessonFigure",
    "crash_steps",
    "error_growth",
    "error_plane",
    "error_through_training",
    "first_order_error",
    "generalisation_maps",
    "growth_per_step",
    "kernel_drift",
    "kernel_matrix",
    "kernel_with_shapes",
    "live_readings",
    "moves",
    "pair_path",
    "predicted_and_measured",
    "q_through_training",
    "residual_by_size",
    "residual_distribution",
    "response_along_ray",
    "seem_at_start",
    "seem_by_discount",
    "seem_readings",
    "shared_spectrum",
    "sign_and_growth",
    "signed_errors",
    "stability_circle",
    "star_picture",
    "transient_growth",
    "value_chases_target",
    "walk_picture",
]
