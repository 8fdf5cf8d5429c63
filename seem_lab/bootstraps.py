"""Remedies that change what is bootstrapped from, and how much: a problem in, a problem out.

They may be applied one after the other. A lower discount needs no function: `dataclasses.replace(problem, gamma=0.95)`.
Transitions must be in the order of time; one follows another where its state is the other's next state.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from seem_lab.problems import Problem
from seem_lab.transitions import Transitions


def scale_rewards(problem: Problem, factor: float) -> Problem:
    """Every reward times a factor; true values scale along, and so does the distance to a fixed limit on |Q|.

    Args:
        problem: any.
        factor: of the rewards.

    Returns:
        The problem with these rewards.

    Source: Henderson et al. 2018, arXiv 1709.06560, who report how much this choice matters.

    Example:
        >>> from seem_lab import toy_walk
        >>> scale_rewards(toy_walk(0, reward=1.0), 0.1).reward[0].item()
        0.1
    """
    t = problem.transitions
    scaled = Transitions(t.state, t.action, factor * t.reward, t.next_state, t.terminal)
    return replace(problem, transitions=scaled)


def in_sample_actions(problem: Problem) -> Problem:
    """Bootstrap from the action the data took next, not from the greedy one: SARSA on the data.

    The values are then those of the policy that made the data. A transition whose next action is not in the data, as
    the last one of a walk, is left out; after a terminal one nothing is chosen.

    Args:
        problem: transitions in the order of time.

    Returns:
        The problem with one candidate next action for each transition that is left.

    Raises:
        ValueError: no transition is followed by another.

    Source: Rummery and Niranjan 1994 (SARSA); offline, Brandfonbrener et al. 2021, arXiv 2106.08909 (one-step RL).

    Example:
        >>> from seem_lab import toy_walk
        >>> walk = toy_walk(seed=0)
        >>> torch.equal(in_sample_actions(walk).next_actions[0, 0], walk.transitions.action[1])
        True
    """
    kept, taken = _with_next_action(problem)
    return replace(kept, next_actions=taken[:, None], penalty=None)


def behaviour_penalty(problem: Problem, strength: float) -> Problem:
    """The next action maximises `Q(s', a') - strength * ||a' - b'||^2`, b' being the action the data took next.

    The penalty is felt in the choice alone; the bootstrap's value is Q itself. Transitions without a next action in the
    data are left out, as by `in_sample_actions`.

    Args:
        problem: transitions in the order of time.
        strength: price of a squared distance of 1, in units of Q; 0 gives the greedy choice back.

    Returns:
        The problem with this penalty.

    Raises:
        ValueError: a negative strength, or no transition is followed by another.

    Source: Fujimoto and Gu 2021, arXiv 2106.06860 (TD3+BC) with the policy replaced by the best candidate; the family
    is that of Wu et al. 2019, arXiv 1911.11361 (policy regularisation).

    Example:
        >>> from seem_lab import toy_walk
        >>> behaviour_penalty(toy_walk(seed=0), 0.5).penalty.min().item()         # the data's own action is free
        0.0
    """
    if not strength >= 0:
        raise ValueError(f"strength must not be negative, got {strength}")
    kept, taken = _with_next_action(problem)
    return replace(kept, penalty=strength * (kept.next_actions - taken[:, None]).square().sum(2))


def n_step_returns(problem: Problem, steps: int) -> Problem:
    """Targets `r_t + gamma r_(t+1) + ... + gamma^(n-1) r_(t+n-1) + gamma^n Q(s_(t+n), a')`: n rewards of the data.

    Nothing corrects for what the greedy policy would have done on the way. A terminal ends the sum early; a transition
    with fewer than n steps ahead of it and no terminal is left out.

    Args:
        problem: transitions in the order of time.
        steps: n.

    Returns:
        The problem with summed rewards, later next states and `gamma` to the power of n.

    Raises:
        ValueError: fewer than one step, or no transition with so many steps ahead of it.

    Source: Sutton and Barto 2018, chapter 7; van Hasselt et al. 2018, arXiv 1812.02648, on divergence.

    Example:
        >>> from seem_lab import toy_walk
        >>> walk = n_step_returns(toy_walk(0, reward=1.0, gamma=0.5), 3)
        >>> walk.n, walk.reward[0].item(), walk.gamma
        (61, 1.75, 0.125)
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    t, follows = problem.transitions, _follows(problem)
    last = torch.arange(problem.n, device=problem.x.device)
    reward, whole = t.reward.clone(), torch.ones_like(follows)
    for k in range(1, steps):
        goes_on = follows[last]
        whole &= goes_on | (t.terminal[last] == 1)
        last = last + goes_on.long()
        reward += problem.gamma**k * t.reward[last] * goes_on
    _some(whole, f"no transition has {steps} steps ahead of it")
    summed = Transitions(t.state, t.action, reward, t.next_state[last], t.terminal[last])
    penalty = None if problem.penalty is None else problem.penalty[last]
    longer = replace(problem, transitions=summed, next_actions=problem.next_actions[last], penalty=penalty)
    return replace(_rows(longer, whole), gamma=problem.gamma**steps)


def _follows(problem: Problem) -> Bool[Tensor, " n"]:
    """Whether the next transition of the data goes on where this one ends."""
    t = problem.transitions
    follows = torch.zeros(problem.n, dtype=torch.bool, device=problem.x.device)
    follows[:-1] = (t.next_state[:-1] == t.state[1:]).all(dim=1) & (t.terminal[:-1] == 0)
    return follows


def _with_next_action(problem: Problem) -> tuple[Problem, Float[Tensor, "n da"]]:
    """The transitions after which the data took an action (or that are terminal), and these actions."""
    follows = _follows(problem)
    action = problem.transitions.action
    taken = torch.where(follows[:, None], action.roll(-1, dims=0), action)
    kept = follows | (problem.transitions.terminal == 1)
    _some(kept, "no transition is followed by another")
    return _rows(problem, kept), taken[kept]


def _rows(problem: Problem, keep: Bool[Tensor, " n"]) -> Problem:
    """The problem with some of its transitions."""
    penalty = None if problem.penalty is None else problem.penalty[keep]
    return replace(
        problem, transitions=problem.transitions[keep], next_actions=problem.next_actions[keep], penalty=penalty
    )


def _some(keep: Bool[Tensor, " n"], complaint: str) -> None:
    if not keep.any():
        raise ValueError(f"{complaint}: give transitions in the order of time, each next state the state after it")
