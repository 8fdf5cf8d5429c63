"""`seem-lab record`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro

from seem_lab.behaviours import SCRIPTS, Script, random_linear
from seem_lab.provenance import save_recording
from seem_lab.recording import dimensions, make_environment
from seem_lab.recording import record as record_steps


def record(
    environment: Annotated[str, tyro.conf.Positional],
    out: Annotated[Path, tyro.conf.Positional],
    behaviour: Literal["random", "script"] = "random",
    steps: int = 10_000,
    noise: float | None = None,
    seed: int = 0,
) -> None:
    """Record transitions of an environment, with their provenance in a .json beside them.

    Args:
        environment: id in Gymnasium, such as Hopper-v5 or seem_lab/Maze-v0.
        out: the .npz to write.
        behaviour: random: weak policies, tanh of a random linear map, a new one in each episode; script: the controller
            written for this environment.
        steps: transitions to record.
        noise: standard deviation of the noise on every action, whose range is [-1, 1]; the behaviour's own if not
            given.
        seed: of everything drawn.
    """
    if behaviour == "script" and environment not in SCRIPTS:
        raise SystemExit(f"no controller is written for {environment}, only for {', '.join(SCRIPTS)}")
    settings = SCRIPTS[environment].settings if behaviour == "script" else {}
    env = make_environment(environment, **settings)
    if behaviour == "script":
        source = SCRIPTS[environment]
    else:
        source = Script(random_linear(*dimensions(env)), "tanh of a random linear map, new in every episode", 0.5)
    noise = source.noise if noise is None else noise
    recording = record_steps(env, source.behaviour, steps, noise=noise, seed=seed)
    command = f"seem-lab record {environment} {out.name} --behaviour {behaviour} --steps {steps} --seed {seed}"
    command += f" --noise {noise:g}"
    save_recording(
        recording, out, env=env, command=command, behaviour=source.words, noise=noise, seed=seed, settings=settings
    )
    returns = recording.returns
    told = f"mean {returns.mean():.1f}, from {returns.min():.1f} to {returns.max():.1f}" if len(returns) else "none"
    print(f"{out}: {steps} transitions, {int(recording.transitions.terminal.sum())} terminal")
    print(f"return of {len(returns)} whole episodes: {told}")
