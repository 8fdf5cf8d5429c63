"""The bar of long work."""

from seem_lab import progress


class Bar:
    """Stands in for tqdm and remembers."""

    made: list = []

    def __init__(self, **settings):
        self.settings, self.updates, self.closed = settings, 0, False
        Bar.made.append(self)

    def update(self):
        self.updates += 1

    def close(self):
        self.closed = True


def work(monkeypatch, patience, show=True, disabled=""):
    Bar.made = []
    monkeypatch.setenv("TQDM_DISABLE", disabled)
    monkeypatch.setattr(progress, "tqdm", Bar)
    monkeypatch.setattr(progress, "PATIENCE", patience)
    with progress.LateBar(5, desc="counting", unit="number", show=show) as bar:
        for _ in range(5):
            bar.update()
    return Bar.made


def test_short_work_makes_no_bar(monkeypatch):
    assert work(monkeypatch, patience=60.0) == []


def test_long_work_makes_one_that_knows_what_was_done_and_goes(monkeypatch):
    (bar,) = work(monkeypatch, patience=-1.0)
    assert bar.settings == {"total": 5, "desc": "counting", "unit": "number", "leave": False, "initial": 1}
    assert bar.updates == 4
    assert bar.closed


def test_none_where_none_is_wanted(monkeypatch):
    assert work(monkeypatch, patience=-1.0, show=False) == []


def test_none_where_the_environment_forbids_bars(monkeypatch):
    """`make test` and build.py do: on a slow machine a bar would be one output more."""
    assert work(monkeypatch, patience=-1.0, disabled="1") == []
