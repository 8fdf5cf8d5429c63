"""`seem-lab doctor` says that this checkout works, and notices what is broken."""

import json
import shutil

import pytest

import seem_lab as sl
from seem_lab.commands import doctor as module
from seem_lab.commands.doctor import doctor
from seem_lab.problems import DATA


def test_all_is_well_here(capsys):
    doctor()
    said = capsys.readouterr().out
    assert said.count("\nok      ") == len(module.CHECKS)
    assert said.endswith("seem_lab works here.\n") and "FAILED" not in said


def test_every_recorded_file_has_its_checksum():
    files = {path.name for path in DATA.iterdir() if path.name.endswith(module.RECORDED)}
    assert module.stated_checksums(DATA).keys() == files


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """One file of the data with its line of the README, and one whose checksum stands in a `.json`."""
    lines = (DATA / "README.md").read_text().splitlines()
    (tmp_path / "README.md").write_text("\n".join(line for line in lines if "`pendulum.npz`" in line))
    shutil.copy(DATA / "pendulum.npz", tmp_path)
    (tmp_path / "other.npz").write_bytes(b"recorded")
    (tmp_path / "other.json").write_text(
        json.dumps({"sha256": "a7a5e6f7d8f9d4e2d0d9b57d5c5fe8b53a0a6d2e4ba3ef1c3e4d1b0b5d6c7a80"})
    )
    monkeypatch.setattr(module, "DATA", tmp_path)
    return tmp_path


def test_data_that_differs_is_named(folder):
    assert module.recorded_data() == (False, f"2 files in {folder}, missing or different: other.npz")
    (folder / "other.json").unlink()
    (folder / "other.npz").unlink()
    assert module.recorded_data()[0]
    (folder / "new.csv").write_text("1\n")
    assert module.recorded_data()[1].endswith("missing or different: new.csv")
    (folder / "new.csv").unlink()
    (folder / "pendulum.npz").unlink()
    assert module.recorded_data()[1].endswith("missing or different: pendulum.npz")


@pytest.mark.parametrize(
    ("name", "check"), [("ntk", module.kernel), ("seem_matrix", module.one_step), ("baird_star", module.baird_star)]
)
def test_broken_library_is_noticed(name, check, monkeypatch):
    right = getattr(sl, name)
    broken = (lambda: right(gamma=0.9)) if name == "baird_star" else lambda *inputs: 1.1 * right(*inputs)
    assert check()[0]
    monkeypatch.setattr(sl, name, broken)
    assert not check()[0]


def test_failure_is_told_and_ends_with_exit_code_1(monkeypatch, capsys):
    def first() -> tuple[bool, str]:
        """One thing holds."""
        return True, "yes"

    def second() -> tuple[bool, str]:
        """Another thing holds."""
        raise OSError("no such disk")

    monkeypatch.setattr(module, "CHECKS", (first, second))
    with pytest.raises(SystemExit) as stopped:
        doctor()
    assert stopped.value.code == 1
    said = capsys.readouterr().out
    assert "ok      One thing holds: yes\nFAILED  Another thing holds: OSError: no such disk\n" in said
    assert said.endswith("seem_lab does NOT work here, 1 failed.\n")
