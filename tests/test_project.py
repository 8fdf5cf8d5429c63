"""What stands around the library holds together: packages, documents, and the first words of `make`."""

import ast
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import seem_lab

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"pytorch": "torch"}  # where conda-forge calls a package by another name
# Our own modules that are imported by their bare name.
OWN = {
    "make_remedies",
    "seem_lab",
    "build",
    "glossary",
    "make_forecast_runs",
    "make_adam_runs",
    "make_stability_runs",
    "make_layer_norm_runs",
    "pages",
    "slides",
    "serving",
    "test_panels",
    "make_claim_runs",
}


def ranges(requirements: list[str]) -> dict[str, SpecifierSet]:
    """Package -> range."""
    parsed = [Requirement(line) for line in requirements]
    assert len({r.name for r in parsed}) == len(parsed), "a package is named twice"
    return {canonicalize_name(r.name): r.specifier for r in parsed}


@pytest.fixture(scope="module")
def named() -> dict[str, SpecifierSet]:
    """What pyproject.toml names, extras included."""
    extras = PROJECT["optional-dependencies"].values()
    return ranges([*PROJECT["dependencies"], *(line for extra in extras for line in extra)])


@pytest.fixture(scope="module")
def pins() -> list[dict[str, str]]:
    """The sections of constraints.txt, each package -> version."""
    sections: list[dict[str, str]] = []
    comment = False
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line.startswith("#"):
            comment = True
            continue
        if comment:
            sections.append({})
            comment = False
        name, version = line.split("==")
        assert canonicalize_name(name) not in sections[-1], f"{name} is pinned twice"
        sections[-1][canonicalize_name(name)] = version
    return sections


def test_constraints_pin_what_pyproject_names_and_then_the_rest(named, pins):
    direct, indirect = pins
    assert direct.keys() == named.keys()
    assert not direct.keys() & indirect.keys()


def test_every_pin_lies_in_its_range(named, pins):
    outside = {
        name: f"{pins[0][name]} is not {allowed}" for name, allowed in named.items() if pins[0][name] not in allowed
    }
    assert outside == {}


def test_conda_file_names_the_same_packages_and_ranges(named):
    *conda, with_pip = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    lines = [*conda, *with_pip["pip"]]
    lines.remove("pip")
    lines.remove("-e .")
    found = {CONDA_NAMES.get(name, name): allowed for name, allowed in ranges(lines).items()}
    assert found.pop("python") == SpecifierSet(PROJECT["requires-python"])
    assert found == named


def test_every_package_imported_is_named(named):
    distributions = packages_distributions()
    for path in [
        file for folder in ("seem_lab", "notebooks", "data", "tests") for file in (ROOT / folder).rglob("*.py")
    ]:
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path.relative_to(ROOT)}: a relative import"
                modules = [node.module]
            for module in {name.partition(".")[0] for name in modules} - sys.stdlib_module_names - OWN:
                owners = {canonicalize_name(name) for name in distributions.get(module, [module])}
                assert owners & named.keys(), f"{path.relative_to(ROOT)} imports {module}, not named in pyproject.toml"


def test_five_lines_of_the_readme_print_what_it_says():
    code, printed = re.search(r"```python\n(.+?)```\n\n```text\n(.+?)```", README, re.DOTALL).groups()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, {})
    assert out.getvalue() == printed


def test_map_in_the_readme_links_the_lessons_there_are():
    linked = re.findall(r"^\| (\d\d) \| \[.+\]\(notebooks/(.+)\.ipynb\)", README, re.MULTILINE)
    there = [path.stem for path in sorted((ROOT / "notebooks").glob("[0-9]*.py"))]
    assert [name for _, name in linked] == there
    planned = re.findall(r"^\| (\d\d) \| .+ \(planned\)", README, re.MULTILINE)
    assert [number for number, _ in linked] + planned == [f"{i:02d}" for i in range(12)]


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md"])
def test_links_lead_somewhere(document):
    path = ROOT / document
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        assert link.startswith("https://") or (path.parent / link).exists(), f"dead link {link}"


def test_citation_names_the_paper():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["license"] == PROJECT["license"] == "MIT"
    (paper,) = citation["references"]
    assert paper["title"] in " ".join(README.replace(">", "").split())
    names = ", ".join(f"{author['given-names']} {author['family-names']}" for author in paper["authors"])
    assert names in README


def test_one_version_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    released = re.findall(r"^## \[(\d.*)\] - (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert released[0] == (citation["version"], citation["date-released"])
    assert citation["version"] == seem_lab.__version__


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A folder with the Makefile and what it reads, but no .venv."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def fake_python(folder: Path, script: str) -> Path:
    path = folder / "fake-python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_make_says_what_each_target_does(fresh):
    targets = re.search(r"^\.PHONY: (help .+)$", (fresh / "Makefile").read_text(), re.MULTILINE)[1].split()
    said = make(fresh).stdout
    assert said == make(fresh, "help").stdout
    assert re.findall(r"^make (\w+)", said, re.MULTILINE) == [target for target in targets if target != "help"]


@pytest.mark.parametrize("target", ["lab", "test", "notebooks", "lint"])
def test_no_python_is_one_sentence(fresh, target):
    result = make(fresh, target, "PYTHON=no-such-python")
    assert result.returncode != 0
    assert result.stdout.count("\n") == 1
    assert "no 'no-such-python' here: install Python 3.11 or newer" in result.stdout
    assert not (fresh / ".venv").exists()


def test_old_python_is_one_sentence(fresh):
    old = fake_python(fresh, '[ "$1" = --version ] && echo Python 3.10.13; exit 1')
    result = make(fresh, "lab", f"PYTHON={old}")
    assert result.returncode != 0
    assert result.stdout == (
        f"'{old}' is Python 3.10.13, but seem_lab needs Python 3.11 or newer: "
        "install one and name it: make PYTHON=python3.11 lab\n"
    )
    assert not (fresh / ".venv").exists()


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_missing_module_is_one_sentence(fresh, module):
    bare = fake_python(fresh, f'case "$2" in *{module}*) echo "Traceback ..." >&2; exit 1;; esac')
    result = make(fresh, "lab", f"PYTHON={bare}")
    assert result.returncode != 0
    assert result.stdout.count("\n") == 1
    assert "(Debian, Ubuntu: apt install python3-venv;" in result.stdout
    assert "Traceback" not in result.stderr
    assert not (fresh / ".venv").exists()


def test_install_that_fails_is_not_taken_for_done(fresh):
    (fresh / "pyproject.toml").write_text("this is no project")
    for _ in range(2):
        result = make(fresh, "lab", f"PYTHON={sys.executable}")
        assert result.returncode != 0
        assert "pip install" in result.stdout
        assert not (fresh / ".venv" / "installed_in").exists()
