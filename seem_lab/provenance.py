"""Where a recorded file comes from: a `.json` beside the `.npz`, with the checksum that ties them together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gymnasium

from seem_lab.problems import DATA
from seem_lab.recording import Recording
from seem_lab.transitions import Transitions


@dataclass(frozen=True)
class Provenance:
    """How one file of transitions was made.

    Args:
        command: makes the file again.
        environment: id in Gymnasium.
        settings: what the environment was made with.
        time_limit: steps after which an episode is cut, which is no terminal; None if there is no limit.
        behaviour: who acted, in words.
        noise: standard deviation of the noise on every action.
        seed: of everything drawn.
        transitions: their number.
        terminals: how many of them are terminal.
        episodes: how many are whole; the recording may have cut the last one short.
        returns: of the whole episodes: mean, lowest and highest; empty if there is none.
        action_bounds: what the file's actions lie in; `load_recorded` scales them to [-1, 1].
        versions: package to version.
        sha256: of the `.npz`.
    """

    command: str
    environment: str
    settings: Mapping[str, Any]
    time_limit: int | None
    behaviour: str
    noise: float
    seed: int
    transitions: int
    terminals: int
    episodes: int
    returns: Mapping[str, float]
    action_bounds: tuple[float, float]
    versions: Mapping[str, str]
    sha256: str


def save_recording(
    recording: Recording,
    path: str | Path,
    *,
    env: gymnasium.Env,
    command: str,
    behaviour: str,
    noise: float,
    seed: int,
    settings: Mapping[str, Any] | None = None,
) -> Provenance:
    """Write a recording to `path` (`.npz`) and its provenance to the `.json` of the same name.

    Args:
        recording: what was recorded.
        path: of the `.npz`.
        env: the environment it was recorded in.
        command: makes the file again.
        behaviour: who acted, in words.
        noise: standard deviation of the noise.
        seed: of the recording.
        settings: what the environment was made with.

    Returns:
        What was written.

    Raises:
        ValueError: `path` does not end in `.npz`.
    """
    path, data, returns = Path(path), recording.transitions, recording.returns
    data.save(path)
    spec = env.spec
    assert spec is not None  # every environment of gymnasium.make has one
    packages = ["seem_lab", "gymnasium", "numpy", "torch"] + ["mujoco"] * ("mujoco" in str(spec.entry_point))
    summary = {}
    if len(returns):
        summary = {"mean": float(returns.mean()), "lowest": float(returns.min()), "highest": float(returns.max())}
    provenance = Provenance(
        command=command,
        environment=spec.id,
        settings=dict(settings or {}),
        time_limit=spec.max_episode_steps,
        behaviour=behaviour,
        noise=noise,
        seed=seed,
        transitions=len(data),
        terminals=int(data.terminal.sum()),
        episodes=len(returns),
        returns=summary,
        action_bounds=(-1.0, 1.0),
        versions={name: version(name).partition("+")[0] for name in packages},
        sha256=checksum(path),
    )
    path.with_suffix(".json").write_text(json.dumps(asdict(provenance), indent=2) + "\n")
    return provenance


def load_recorded(name: str | Path) -> tuple[Transitions, Provenance]:
    """Recorded transitions with actions in [-1, 1], and where they come from.

    Args:
        name: a file in `data/` without its ending (`"hopper_weak"`), or the path of an `.npz`.

    Returns:
        The transitions, as full-scale training wants them, and their provenance.

    Raises:
        FileNotFoundError: no such file, or none beside it that tells its provenance.
        ValueError: a broken file, or one that is not the one that was recorded.

    Example:
        >>> data, provenance = load_recorded("pendulum")
        >>> provenance.environment, provenance.action_bounds, data.action.abs().max().item()
        ('Pendulum-v1', (-2.0, 2.0), 1.0)
    """
    path = Path(name) if str(name).endswith(".npz") else DATA / f"{name}.npz"
    if not path.exists():
        there = ", ".join(sorted(file.stem for file in path.parent.glob("*.json"))) or "nothing recorded"
        raise FileNotFoundError(f"{path}: no such file; its folder holds: {there}")
    provenance = read_provenance(path)
    if provenance.sha256 != checksum(path):
        raise ValueError(
            f"{path}: its sha256 is not the one in {path.with_suffix('.json').name}, so it is another file or "
            f"a damaged one; make it again: {provenance.command}"
        )
    return Transitions.load(path).scale_actions(*provenance.action_bounds), provenance


def read_transitions(name: str | Path) -> Transitions:
    """The transitions of a recording, checked against its provenance, or of any other `.npz`, which has none.

    Args:
        name: a file in `data/` without its ending, or the path of an `.npz`.

    Raises:
        FileNotFoundError, ValueError: as `load_recorded` and `Transitions.load`.
    """
    if str(name).endswith(".npz") and not Path(name).with_suffix(".json").exists():
        return Transitions.load(name)
    return load_recorded(name)[0]


def read_provenance(path: Path) -> Provenance:
    """What stands in the `.json` beside an `.npz`.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is no provenance.
    """
    beside = path.with_suffix(".json")
    if not beside.exists():
        raise FileNotFoundError(f"{beside}: no provenance beside {path.name}; read it with Transitions.load instead")
    try:
        stored = json.loads(beside.read_text())
        missing = [field.name for field in fields(Provenance) if field.name not in stored]
        if missing:
            raise ValueError(f"it lacks {', '.join(missing)}")
        return Provenance(**stored | {"action_bounds": tuple(stored["action_bounds"])})
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{beside}: not a readable provenance: {error}") from error


def checksum(path: Path) -> str:
    """The sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
