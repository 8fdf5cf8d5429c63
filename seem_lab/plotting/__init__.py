"""The pictures of the lessons: data in, a `LessonFigure` out, its description in `figure.alt`."""
