"""A run on disk: written so that whatever happens, the last whole checkpoint stays."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from seem_lab.critics.agent import Agent
from seem_lab.critics.methods import METHODS
from seem_lab.critics.replay import Scaling
from seem_lab.transitions import Transitions

FORMAT = "seem_lab checkpoint 1"


class CheckpointError(ValueError):
    """A checkpoint that cannot be written, read, or gone on from; the message says why and what to do."""


def write_checkpoint(path: Path, content: Mapping[str, Any]) -> None:
    """Replace the checkpoint at `path` in one go: first a file beside it, on the disk, then its name.

    Args:
        path: of the checkpoint.
        content: tensors, numbers, text, and lists and dictionaries of them.

    Raises:
        CheckpointError: it could not be written; what stood at `path` before still does.
    """
    unfinished = path.with_suffix(".unfinished")
    try:
        with unfinished.open("wb") as file:
            torch.save({"format": FORMAT, **content}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except (OSError, RuntimeError) as error:
        kept = f"the last whole checkpoint stays in {path}" if path.exists() else "there is none before it"
        raise CheckpointError(
            f"{path}: this checkpoint cannot be written ({error}); {kept}. Make room or change the folder, then resume"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What `write_checkpoint` wrote; only tensors and plain values are unpickled (`weights_only=True`).

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: truncated, damaged, or of another program.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such checkpoint; give the checkpoint.pt in the folder of a run")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(
            f"{path}: not a readable checkpoint, perhaps cut short ({reason}); copy it again, or delete it and "
            "train anew"
        ) from error
    found = content.get("format") if isinstance(content, dict) else None
    if found != FORMAT:
        raise CheckpointError(
            f"{path}: not a checkpoint of a seem_lab run: its format is {found!r}, {FORMAT!r} is read; train anew"
        )
    return content


def load_agent(path: str | Path, device: torch.device | str = "cpu") -> Agent[Any]:
    """The agent of a checkpoint, ready to act; its networks, options and scaling all come from the file.

    Args:
        path: of a checkpoint, or of the folder of a run.
        device: where to put it.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: not a whole checkpoint of a run.
    """
    path = Path(path)
    path = path / "checkpoint.pt" if path.is_dir() else path
    content = read_checkpoint(path)
    options, kind = METHODS[content["method"]]
    state = content["agent"]
    scaling = Scaling(state["mean"].to(device), state["std"].to(device), state["reward_scale"])
    agent = kind(options(**content["options"]), content["action_dim"], scaling, content["run"]["seed"])
    agent.load_state_dict(state)
    return agent


def sha256_of(data: Transitions) -> str:
    """The checksum of the numbers themselves, whatever file they came from."""
    digest = hashlib.sha256()
    for column in (data.state, data.action, data.reward, data.next_state, data.terminal):
        digest.update(str((column.dtype, tuple(column.shape))).encode())
        digest.update(column.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
