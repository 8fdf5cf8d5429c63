"""`seem-lab record`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import gymnasium
import tyro

from seem_lab.behaviours import SCRIPTS, Script, random_linear
from seem_lab.online import NOISE, START, follow_agent, learn_online, online_td3
from seem_lab.provenance import save_recording
from seem_lab.recording import Step, collect, dimensions, interact, make_environment

WEAK_NOISE = 0.5


def record(
    environment: Annotated[str, tyro.conf.Positional],
    out: Annotated[Path, tyro.conf.Positional],
    behaviour: Literal["random", "script", "td3", "replay"] = "random",
    steps: int = 10_000,
    train: int = 20_000,
    noise: float | None = None,
    seed: int = 0,
) -> None:
    """Record transitions of an environment, with their provenance in a .json beside them.

    Args:
        environment: id in Gymnasium, such as Hopper-v5 or seem_lab/Maze-v0.
        out: the .npz to write.
        behaviour: random: weak policies, tanh of a random linear map, a new one in each episode; script: the controller
            written for this environment; td3: a policy that TD3 has learned online; replay: all that TD3 lives through
            while it learns online.
        steps: transitions to record.
        train: for td3, steps of learning before anything is recorded.
        noise: standard deviation of the noise on every action, whose range is [-1, 1]; the behaviour's own if not
            given.
        seed: of everything drawn.
    """
    if out.suffix != ".npz" or not out.absolute().parent.is_dir():
        raise SystemExit(f"{out}: give a file that ends in .npz, in a folder that exists")
    script = SCRIPTS.get(environment) if behaviour == "script" else None
    if behaviour == "script" and script is None:
        raise SystemExit(f"no controller is written for {environment}, only for {', '.join(SCRIPTS)}")
    settings = script.settings if script else {}
    if noise is None:
        noise = script.noise if script else WEAK_NOISE if behaviour == "random" else NOISE
    try:
        env = make_environment(environment, **settings)
        lived, words = _lived(env, script, behaviour, steps, train, noise, seed)
        recording = collect(lived, steps)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    command = f"seem-lab record {environment} {out.name} --behaviour {behaviour} --steps {steps}"
    command += f" --train {train}" * (behaviour == "td3") + f" --noise {noise:g} --seed {seed}"
    save_recording(recording, out, env=env, command=command, behaviour=words, noise=noise, seed=seed, settings=settings)
    returns = recording.returns
    told = f"mean {returns.mean():.1f}, from {returns.min():.1f} to {returns.max():.1f}" if len(returns) else "none"
    print(f"{out}: {steps} transitions, {int(recording.transitions.terminal.sum())} terminal")
    print(f"return of {len(returns)} whole episodes: {told}")


def _lived(
    env: gymnasium.Env, script: Script | None, behaviour: str, steps: int, train: int, noise: float, seed: int
) -> tuple[Iterator[Step], str]:
    """The steps to be recorded, and in words who takes them."""
    learning = f"TD3 that learns online, one update a step after {START} uniform actions"
    if behaviour == "replay":
        return learn_online(env, online_td3(env, seed), capacity=steps, seed=seed, noise=noise), learning
    if behaviour == "td3":
        agent = online_td3(env, seed)
        collect(learn_online(env, agent, capacity=train, seed=seed), train)
        acts, words = follow_agent(agent), f"the policy that {train} steps left: {learning}"
    elif script:
        acts, words = script.behaviour, script.words
    else:
        acts, words = random_linear(*dimensions(env)), "tanh of a random linear map, a new one in each episode"
    return interact(env, acts, noise=noise, seed=seed), words
