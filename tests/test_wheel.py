"""The wheel carries the library and the recorded data, and works from an empty folder without the repository."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
READS = """
import seem_lab as sl
from seem_lab.commands.doctor import recorded_data

print(sl.__file__)
print(sl.recorded("pendulum", fraction=0.01).n, sl.stored_adam_runs(2).q_max.shape[1])
print(recorded_data()[0])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """The wheel that `make wheel` makes."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return zipfile.ZipFile(made)


def test_wheel_holds_the_library_and_the_data_and_nothing_else(wheel):
    library = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "seem_lab").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    data = {
        f"seem_lab/data/{path.name}"
        for path in (ROOT / "data").iterdir()
        if path.suffix in (".md", ".npz", ".csv", ".gz", ".json", ".toml") and not path.name.endswith(".part.csv")
    }
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == library | data
    assert {"seem_lab/data/README.md", "seem_lab/data/pendulum.npz", "seem_lab/data/remedies.csv"} < data


def test_stored_results_are_read_from_the_wheel_alone(wheel, tmp_path):
    wheel.extractall(tmp_path / "installed")
    (tmp_path / "empty").mkdir()
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "installed")}
    command = [sys.executable, "-c", READS]
    said = subprocess.run(
        command, cwd=tmp_path / "empty", env=environment, check=True, capture_output=True, text=True
    ).stdout.split("\n")
    assert said[0] == str(tmp_path / "installed" / "seem_lab" / "__init__.py")
    assert said[1:3] == ["100 81", "True"]
