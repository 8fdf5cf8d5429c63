"""The kept layers of a picture, and its PNG."""

import io

import numpy as np
import pytest
from PIL import Image
from test_panels import pixels

from seem_lab.panels.canvas import Canvas
from seem_lab.panels.png import encode


class Plot:
    """A line and two moving scales on a canvas; counts how often each scale is drawn."""

    def __init__(self):
        self.canvas = Canvas(240, 160)
        self.axes = self.canvas.figure.subplots()
        self.drawn = {"x": 0, "y": 0}
        for name, axis in (("x", self.axes.xaxis), ("y", self.axes.yaxis)):
            self.canvas.animate(axis)
            axis.draw = self.counted(name, axis.draw)
        self.line = self.canvas.animate(self.axes.plot([0, 1], [0, 1])[0])
        self.axes.set(xlim=(0, 1), ylim=(0, 1))
        self.canvas.settle()
        self.canvas.png()
        self.drawn.update(x=0, y=0)

    def counted(self, name, draw):
        def drawing(renderer):
            self.drawn[name] += 1
            draw(renderer)

        return drawing


def move(plot, k):
    plot.line.set_ydata([k, 0])


def stretch_x(plot, k):
    plot.axes.set_xlim(0, 1 + k)


def stretch_y(plot, k):
    plot.axes.set_ylim(0, 1 + k)


def entitle(plot, k):
    plot.axes.set_title(f"number {k}")


CHANGES = {move: {"x": 0, "y": 0}, stretch_x: {"x": 1, "y": 1}, stretch_y: {"x": 0, "y": 1}, entitle: {"x": 1, "y": 1}}


@pytest.mark.parametrize("change", CHANGES)
def test_only_what_changed_and_what_lies_above_it_is_drawn(change):
    plot = Plot()
    before = plot.canvas.png()
    change(plot, 1)
    after = plot.canvas.png()
    assert after != before
    assert plot.drawn == CHANGES[change]


def test_any_series_of_changes_gives_the_picture_of_a_new_canvas():
    rng, old, now = np.random.default_rng(0), Plot(), {}
    for place, k in zip(rng.integers(len(CHANGES), size=16), rng.integers(1, 4, size=16), strict=True):
        now[list(CHANGES)[place]] = k
        list(CHANGES)[place](old, k)
        new = Plot()
        for change, value in now.items():
            change(new, value)
        new.canvas._layers = []
        assert old.canvas.png() == new.canvas.png(), {change.__name__: value for change, value in now.items()}
    assert len(now) == len(CHANGES)


def test_what_moves_is_drawn_in_the_order_it_was_named():
    canvas = Canvas(100, 100)
    axes = canvas.figure.subplots()
    _, over = canvas.animate(axes.axvspan(0, 1, color="red", zorder=9), axes.axvspan(0, 1, color="blue"))
    canvas.settle()
    assert pixels(canvas.png())[50, 50].tolist() == [0, 0, 255]
    over.set_visible(False)
    assert pixels(canvas.png())[50, 50].tolist() == [255, 0, 0]


def test_a_moving_scale_has_no_grid():
    canvas = Canvas(100, 100)
    axes = canvas.figure.subplots()
    axes.grid()
    canvas.animate(axes.xaxis)
    assert not any(line.get_visible() for line in axes.get_xgridlines())
    assert any(line.get_visible() for line in axes.get_ygridlines())


@pytest.mark.parametrize("by_hand", [True, False])
def test_the_name_of_a_moving_horizontal_scale_is_where_matplotlib_puts_it_and_is_not_drawn_again(by_hand):
    pictures = []
    for moves in (False, True):
        canvas = Canvas(240, 160)
        if by_hand:
            canvas.figure.set_layout_engine("none")
            axes = canvas.figure.add_axes((0.2, 0.4, 0.7, 0.5))
        else:
            axes = canvas.figure.subplots()
        axes.grid(False)
        axes.set(xlabel="a name below the numbers", ylabel="beside")
        if moves:
            canvas.animate(axes.xaxis, axes.yaxis)
        canvas.settle()
        pictures.append(pixels(canvas.png())[160 - int(axes.bbox.y0) + 4 :])  # below the ends of the ticks
    assert pictures[0].min() == 0 and np.array_equal(*pictures)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("", "beside")


@pytest.mark.parametrize("shape", [(1, 1, 4), (3, 5, 4), (40, 300, 4)])
def test_png_holds_every_pixel(shape):
    there = np.random.default_rng(0).integers(256, size=shape).astype(np.uint8)
    Image.open(io.BytesIO(encode(there))).verify()  # the checksums
    image = Image.open(io.BytesIO(encode(there)))
    assert image.mode == "RGBA"
    assert np.array_equal(np.asarray(image), there)


def test_png_is_small_where_the_picture_is_plain():
    assert len(encode(np.full((400, 900, 4), 255, np.uint8))) < 400 * 900 * 4 / 100
