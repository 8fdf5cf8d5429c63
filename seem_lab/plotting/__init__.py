"""The pictures of the lessons: data in, a `LessonFigure` out, its description in `figure.alt`."""

from seem_lab.plotting.figure import LessonFigure
from seem_lab.plotting.runs import crash_steps, q_through_training, walk_picture

__all__ = ["LessonFigure", "crash_steps", "q_through_training", "walk_picture"]
