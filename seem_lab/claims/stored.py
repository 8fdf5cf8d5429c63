"""The stored results, where they come from, and the scripts that made them."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

import pandas as pd

from seem_lab.problems import DATA


@dataclass(frozen=True)
class Provenance:
    """Where a stored result comes from, as `data/provenance.toml` says.

    Args:
        file: its name in `data/`.
        command: makes it again.
        version: of seem_lab, that made it.
        seeds: of the walks in it; a network's is 1000 higher.
        minutes: about how long the command takes on one core.
    """

    file: str
    command: str
    version: str
    seeds: str
    minutes: float


@cache
def _entries() -> dict[str, dict[str, str | float]]:
    return tomllib.loads((DATA / "provenance.toml").read_text())


def provenance(file: str) -> Provenance:
    """Where a stored result comes from.

    Raises:
        ValueError: a file that `data/provenance.toml` does not name.

    Example:
        >>> provenance("layer_norm.csv").command
        'python data/make_layer_norm_runs.py'
    """
    if file not in _entries():
        raise ValueError(f"data/provenance.toml does not name {file!r}; it names {', '.join(sorted(_entries()))}")
    return Provenance(file, **_entries()[file])  # type: ignore[arg-type]


@cache
def table(file: str) -> pd.DataFrame:
    """A stored table; do not change it, it is read once."""
    return pd.read_csv(DATA / file)


@cache
def script(name: str) -> ModuleType:
    """One of the scripts in `data/` as a module: what made the tables is what makes them again.

    Args:
        name: without its ending, such as `make_claim_runs`.

    Raises:
        FileNotFoundError: no such script, as in an installed package without the repository.
    """
    path = DATA / f"{name}.py"
    if not path.exists():
        raise FileNotFoundError(f"{name}.py is not in {DATA}; to run a claim again, work in a clone of the repository")
    spec = spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules.setdefault(name, module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
