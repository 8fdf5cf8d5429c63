"""Diffusion-QL: the policy turns noise into an action in a few denoising steps."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from seem_lab.critics.actor_critic import ActorCritic
from seem_lab.critics.options import CriticOptions, need
from seem_lab.critics.replay import Batch, Scaling
from seem_lab.networks import mlp

BETA_MIN, BETA_MAX = 0.1, 10.0  # of the noise schedule
CANDIDATES = 50  # actions drawn when the policy acts; one is taken, by its value


@dataclass(frozen=True)
class DiffusionQLOptions(CriticOptions):
    """Diffusion-QL, a policy that denoises its actions, and twin critics.

    Raises:
        ValueError: an option outside its range; the message names it.
    """

    policy_delay: int = 1
    """Critic steps for one step of the policy and of the target networks."""
    denoising_steps: int = 5
    """Steps from noise to an action; a step of training costs in proportion."""
    q_weight: float = 1.0
    """Weight eta of the values against imitation in the loss of the policy; 0 is cloning by diffusion."""

    def __post_init__(self) -> None:
        super().__post_init__()
        need(self.denoising_steps >= 1, "denoising_steps", "at least 1", self.denoising_steps)
        need(self.q_weight >= 0, "q_weight", "0 or more", self.q_weight)


class DiffusionQL(ActorCritic[DiffusionQLOptions]):
    """The actor e(a^i, i, s) guesses the noise in a recorded action that was mixed with it i times of T. With
    `b_i` the share of noise added in mixing i and `c_i = prod_{j <= i} (1 - b_j)`,

        a^i       = sqrt(c_i) a + sqrt(1 - c_i) noise                                        mixing, in training
        a_0       = clip((a^i - sqrt(1 - c_i) e) / sqrt(c_i), -1, 1)                         the action guessed at i
        a^(i - 1) = (b_i sqrt(c_{i-1}) a_0 + (1 - c_{i-1}) sqrt(1 - b_i) a^i) / (1 - c_i)    one step back, plus noise
                    + sqrt(b_i (1 - c_{i-1}) / (1 - c_i)) noise                              except in the last
        L_pi      = mean |noise - e|^2 - eta mean Q_k(s, pi(s)) / mean |Q_other|,            k drawn anew each time

    where pi(s) takes T steps back from pure noise. When it acts, 50 actions are drawn and one of them is taken with
    chance proportional to exp Q.

    Source: Wang, Hunt and Zhou 2023, arXiv 2208.06193, equations 1 to 3 and its appendix on the schedule of `b_i`. The
    target policy follows at the critics' rate tau.

    Args:
        options: of the method.
        action_dim: entries of an action.
        scaling: of states and rewards; its tensors say the device.
        seed: of networks and generator.
    """

    def __init__(self, options: DiffusionQLOptions, action_dim: int, scaling: Scaling, seed: int = 0) -> None:
        super().__init__(options, action_dim, scaling, seed)
        steps = options.denoising_steps
        i = torch.arange(1, steps + 1, device=self.device)
        # The variance-preserving schedule: between two mixings the noise grows linearly from BETA_MIN to BETA_MAX.
        self.b = 1 - torch.exp(-BETA_MIN / steps - (BETA_MAX - BETA_MIN) * (2 * i - 1) / (2 * steps**2))
        self.c = torch.cumprod(1 - self.b, 0)
        self.c_before = torch.cat([self.c.new_ones(1), self.c[:-1]])
        self.which_step = torch.eye(steps, device=self.device)

    def make_actor(self, seed: int) -> nn.Module:
        """Guesses the noise from (a^i, step i as one of T unit vectors, s)."""
        width = self.action_dim + self.options.denoising_steps + self.state_dim
        hidden = self.options.hidden
        return mlp(width, hidden, output_dim=self.action_dim, activation=nn.Mish, seed=seed, dtype=torch.float32)

    def denoise(
        self, actor: nn.Module, state: Float[Tensor, "n ds"], generator: torch.Generator
    ) -> Float[Tensor, "n da"]:
        """Actions from pure noise; gradients flow through all steps."""
        shape = (len(state), self.action_dim)
        action = torch.randn(shape, generator=generator, device=self.device)
        for i in reversed(range(self.options.denoising_steps)):
            step = self.which_step[i].expand(len(state), -1)
            b, c, c_before = self.b[i], self.c[i], self.c_before[i]
            guess = ((action - (1 - c).sqrt() * actor(torch.cat([action, step, state], dim=1))) / c.sqrt()).clamp(-1, 1)
            action = (b * c_before.sqrt() * guess + (1 - c_before) * (1 - b).sqrt() * action) / (1 - c)
            if i > 0:
                noise = torch.randn(shape, generator=generator, device=self.device)
                action = action + (b * (1 - c_before) / (1 - c)).sqrt() * noise
        return action

    def next_action(self, next_state: Float[Tensor, "b ds"]) -> Float[Tensor, "b da"]:
        """a' denoised by the target policy."""
        return self.denoise(self.target_actor, next_state, self.generator)

    def policy(self, state: Float[Tensor, "n ds"], generator: torch.Generator) -> Float[Tensor, "n da"]:
        """One action each, denoised."""
        return self.denoise(self.actor, state, generator)

    @torch.no_grad()
    def act(self, states: Float[Tensor, "n ds"], generator: torch.Generator) -> Float[Tensor, "n da"]:
        """One of 50 drawn actions each, with chance proportional to exp Q_1."""
        state = self.scaling.states(states.to(self.device, torch.float32)).repeat_interleave(CANDIDATES, 0)
        actions = self.policy(state, generator)
        q = self.twins.live[0](torch.cat([state, actions], dim=1)).reshape(-1, CANDIDATES)
        chosen = torch.multinomial(q.softmax(1), 1, generator=generator)
        return actions.unflatten(0, (-1, CANDIDATES))[torch.arange(len(q), device=self.device), chosen[:, 0]]

    def policy_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """Imitation by denoising, and the value of the policy's actions by one of the critics."""
        n, steps = len(batch.state), self.options.denoising_steps
        i = torch.randint(steps, (n,), generator=self.generator, device=self.device)
        noise = torch.randn(n, self.action_dim, generator=self.generator, device=self.device)
        c = self.c[i, None]
        mixed = c.sqrt() * batch.action + (1 - c).sqrt() * noise
        guess = self.actor(torch.cat([mixed, self.which_step[i], batch.state], dim=1))
        imitation = (noise - guess).square().mean()
        if self.options.q_weight == 0:
            return imitation
        action = self.denoise(self.actor, batch.state, self.generator)
        q = self.twins(torch.cat([batch.state, action], dim=1))
        first = torch.rand((), generator=self.generator, device=self.device) < 0.5
        one, other = torch.where(first, q, q.flip(1)).unbind(1)
        return imitation - self.options.q_weight * one.mean() / other.detach().abs().mean()
