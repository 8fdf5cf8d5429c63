"""What every public name owes its reader, that the examples are true, and that imports go one way."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import inspect
import pkgutil
import re
import subprocess
import sys
from functools import cached_property
from pathlib import Path

import pytest

import seem_lab

PACKAGE = Path(seem_lab.__file__).parent
MODULES = ["seem_lab", *(module.name for module in pkgutil.walk_packages([str(PACKAGE)], "seem_lab."))]
ROOT = PACKAGE.parent
# From the top of the house to its foundations, as CONTRIBUTING.md says: a room imports only rooms below it.
ORDER = (
    re.search(r"stands to its right: ([\w, \n]+)\.", (ROOT / "CONTRIBUTING.md").read_text())[1]
    .replace(",", " ")
    .split()
)


def section(text: str, title: str) -> str:
    """What a Google docstring says under a title."""
    match = re.search(rf"^{title}:\n((?:(?: .*)?\n)*)", text + "\n", re.MULTILINE)
    return match[1] if match else ""


@pytest.mark.parametrize("name", seem_lab.__all__)
def test_every_public_name_explains_its_arguments_and_what_it_returns(name: str) -> None:
    thing = getattr(seem_lab, name)
    text = inspect.getdoc(thing)
    assert text
    assert not text.startswith(f"{name}(")  # that is what a dataclass writes by itself
    arguments = list(inspect.signature(thing).parameters)
    assert [a for a in arguments if not re.search(rf"^ +{a}: \S", section(text, "Args"), re.MULTILINE)] == []
    assert not arguments or inspect.isclass(thing) or section(text, "Returns").strip()


@pytest.mark.parametrize("name", [name for name in seem_lab.__all__ if inspect.isclass(getattr(seem_lab, name))])
def test_every_public_method_has_a_docstring(name: str) -> None:
    methods = [member for key, member in vars(getattr(seem_lab, name)).items() if not key.startswith("_")]
    methods = [m for m in methods if callable(m) or isinstance(m, classmethod | property | cached_property)]
    assert [m for m in methods if not inspect.getdoc(m)] == []


def test_all_names_what_the_package_imports() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    imported = [alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(imported) == sorted(seem_lab.__all__)


FILES = {name: importlib.util.find_spec(name).origin for name in MODULES}
SHAPED = {name: file for name, file in FILES.items() if "from jaxtyping import" in Path(file).read_text()}


@pytest.mark.parametrize("module", sorted(FILES.keys() - SHAPED.keys()))
def test_the_examples_are_true(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module), raise_on_error=False).failed == 0


def test_the_examples_are_true_where_shapes_are_stated_and_so_are_the_shapes() -> None:
    """In a process of its own: what the checker is put on stays checked, and it costs two fifths of the time."""
    checked = ["--jaxtyping-packages=seem_lab,beartype.beartype", "--doctest-modules", *SHAPED.values()]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *checked],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


WITH_EXAMPLES = ["transitions", "networks", "problems", "kernels", "seem", "growth", "training", "frozen_kernel"]
WITH_EXAMPLES += ["frozen_dynamics", "update_maps", "minibatch_noise", "stability"]
WITH_EXAMPLES += ["kernel_profiles", "infinite_width", "layer_norm", "grid_world"]
WITH_EXAMPLES += [
    "bootstraps",
    "optimizers",
    "regularisers",
    "targets",
    "forecast",
    "early_warning",
    "stacked_training",
    "sweeps",
]
WITH_EXAMPLES += ["adam_runs", "remedies"]
WITH_EXAMPLES += ["maze", "recording", "behaviours", "provenance", "validation", "minari_sets", "online"]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_there_are_examples(module: str) -> None:
    found = doctest.DocTestFinder().find(importlib.import_module(f"seem_lab.{module}"))
    assert sum(len(test.examples) for test in found) > 0


def imports(path: Path) -> set[str]:
    """The rooms of seem_lab that a file imports; the package itself counts as its room `__init__`."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: a relative import"
            whole = node.module == "seem_lab"
            names = [f"seem_lab.{alias.name}" for alias in node.names] if whole else [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        rooms |= {[*name.split("."), "__init__"][1] for name in names if name.split(".")[0] == "seem_lab"}
    return rooms


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    assert room in ORDER, f"{room} has no place in the house yet"
    for other in imports(path) - {room}:
        assert other in ORDER, f"{path.name} imports seem_lab.{other}, which is no room"
        assert ORDER.index(other) > ORDER.index(room), f"{room} imports {other}, which stands above it"


def test_every_room_of_the_order_exists() -> None:
    assert {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")} == set(ORDER)


def test_only_panels_import_ipywidgets() -> None:
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0] != "panels":
            assert not re.search(r"^\s*(import|from) ipywidgets", path.read_text(), re.MULTILINE), path.name


def test_a_new_kernel_starts_and_trains_without_what_takes_seconds_to_load() -> None:
    script = """
import sys
import seem_lab as sl
walk, network = sl.toy_walk(0), sl.mlp(4, seed=0)
sl.train(network, walk, steps=1)
sl.seem(network, *walk.bootstrap(network))
print([name for name in ("scipy.stats", "scipy.optimize", "torch._dynamo", "matplotlib") if name in sys.modules])
"""
    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert said.strip() == "[]"
