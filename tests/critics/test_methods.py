"""Each method's update against its equations written out once more, with nothing of the library but the draws."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seem_lab import Transitions
from seem_lab.critics import (
    CQL,
    METHODS,
    TD3,
    BehaviourCloning,
    BehaviourCloningOptions,
    CQLOptions,
    DiffusionQL,
    DiffusionQLOptions,
    Replay,
    Scaling,
    TD3Options,
    agent_for,
)
from seem_lab.critics.options import descend

SMALL = dict(hidden=(7, 5), lr=0.05, optimizer="sgd", batch_size=6, policy_delay=1, tau=0.3, gamma=0.9)


@pytest.fixture
def data() -> Transitions:
    generator = torch.Generator().manual_seed(3)
    state, after = 2 + 3 * torch.randn(2, 40, 3, generator=generator)
    action = 2 * torch.rand(40, 2, generator=generator) - 1
    return Transitions(state, action, torch.randn(40, generator=generator), after, torch.arange(40) % 5 == 4)


def dense(network: nn.Module, x: Tensor, squash: bool = False) -> Tensor:
    """A multi-layer perceptron by hand, from its weights alone."""
    layers = list(network.parameters())
    for weight, bias in zip(layers[0::2], layers[1::2], strict=True):
        x = x @ weight.T + bias
        if weight is not layers[-2]:
            x = x * (x > 0)
    return torch.tanh(x) if squash else x


def stepped(network: nn.Module, loss: Tensor, lr: float) -> list[Tensor]:
    """Parameters after one step of gradient descent."""
    parameters = list(network.parameters())
    return [p - lr * g for p, g in zip(parameters, torch.autograd.grad(loss, parameters), strict=True)]


def close(network: nn.Module, expected: list[Tensor]) -> None:
    for p, e in zip(network.parameters(), expected, strict=True):
        torch.testing.assert_close(p.detach(), e.detach(), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_td3_takes_the_step_of_its_equations(data: Transitions, weight: float) -> None:
    options = TD3Options(**SMALL, behaviour_weight=weight, reward_scale=10.0)
    agent = agent_for(options, data, seed=1)
    for p in agent.target_actor.parameters():  # targets that differ from the live networks
        p.data.mul_(1.1)
    batch = agent.replay(40)
    batch.add(data.state, data.action, data.reward, data.next_state, data.terminal)
    batch = batch.sample(6, agent.generator)
    old_twins, old_actor = copy.deepcopy(agent.twins), copy.deepcopy(agent.actor)
    old_target = copy.deepcopy(agent.target_actor)
    draws = torch.Generator()
    draws.set_state(agent.generator.get_state())
    agent.update(batch)

    noise = (0.2 * torch.randn(6, 2, generator=draws)).clip(-0.5, 0.5)
    after = (dense(old_target, batch.next_state, squash=True) + noise).clip(-1, 1)
    x_next = torch.cat([batch.next_state, after], 1)
    values = [dense(critic, x_next)[:, 0] for critic in old_twins.target]
    y = (batch.reward + 0.9 * batch.live * torch.minimum(*values)).detach()
    for new, old in zip(agent.twins.live, old_twins.live, strict=True):
        close(new, stepped(old, ((dense(old, batch.x)[:, 0] - y) ** 2).mean(), 0.05))
    action = dense(old_actor, batch.state, squash=True)
    q = dense(agent.twins.live[0], torch.cat([batch.state, action], 1))[:, 0]
    loss = -q.mean()
    if weight:
        loss = -2.5 * q.mean() / q.abs().mean().detach() + weight * ((action - batch.action) ** 2).mean()
    close(agent.actor, stepped(old_actor, loss, 0.05))
    for new, old, live in zip(
        agent.twins.target.parameters(), old_twins.target.parameters(), agent.twins.live.parameters(), strict=True
    ):
        torch.testing.assert_close(new, old + 0.3 * (live - old))


def test_rewards_and_states_are_scaled_as_the_data_says(data: Transitions) -> None:
    agent = agent_for(TD3Options(**SMALL, reward_scale=10.0), data)
    rows = Replay.of(data, agent.scaling).all()
    torch.testing.assert_close(rows.state.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(rows.state.std(0, correction=0), torch.ones(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(rows.reward, 10 * data.reward)
    mean, std = data.state.mean(0), data.state.std(0, correction=0)
    torch.testing.assert_close(rows.next_state, (data.next_state - mean) / std)
    raw = agent.act(data.state, agent.generator)  # takes raw states
    torch.testing.assert_close(raw, dense(agent.actor, (data.state - mean) / std, squash=True).detach())


def test_behaviour_cloning_takes_the_step_of_least_squares(data: Transitions) -> None:
    agent = agent_for(BehaviourCloningOptions(hidden=(7,), lr=0.05, optimizer="sgd"), data)
    assert isinstance(agent, BehaviourCloning) and agent.critics == []
    batch, old = Replay.of(data, agent.scaling).all(), copy.deepcopy(agent.actor)
    agent.update(batch)
    loss = ((dense(old, batch.state, squash=True) - batch.action) ** 2).mean()
    close(agent.actor, stepped(old, loss, 0.05))
    with pytest.raises(ValueError, match="no critic"):
        agent.bootstrap(data)


def test_cql_adds_its_penalty(data: Transitions) -> None:
    agent = agent_for(CQLOptions(**SMALL, sampled_actions=4, penalty_weight=3.0), data)
    assert isinstance(agent, CQL)
    batch = Replay.of(data, agent.scaling).all()
    draws = torch.Generator()
    draws.set_state(agent.generator.get_state())
    penalty = agent.critic_penalty(batch, agent.twins(batch.x))

    uniform = 2 * torch.rand(40, 4, 2, generator=draws) - 1
    noise = (0.2 * torch.randn(40, 4, 2, generator=draws)).clip(-0.5, 0.5)
    policy = dense(agent.actor, batch.state, squash=True)
    expected = torch.zeros(())
    for row in range(40):
        near = (policy[row] + noise[row]).clip(-1, 1)
        for critic in agent.twins.live:
            inputs = [torch.cat([batch.state[row], a]) for a in [*uniform[row], *near, batch.action[row]]]
            q = dense(critic, torch.stack(inputs))[:, 0]
            expected = expected + 3.0 * (q.exp().sum().log() - q[-1]) / 40
    torch.testing.assert_close(penalty, expected, rtol=1e-4, atol=1e-5)
    assert penalty > 0


def test_cql_without_its_penalty_is_td3_on_other_draws(data: Transitions) -> None:
    """With no noise and nothing drawn that counts, the two take the same step."""
    common = dict(SMALL, policy_noise=0.0)
    conservative = agent_for(CQLOptions(**common, penalty_weight=0.0), data)
    plain = agent_for(TD3Options(**common), data)
    batch = Replay.of(data, plain.scaling).all()
    for agent in (conservative, plain):
        agent.update(batch)
    close(conservative.twins.live, list(plain.twins.live.parameters()))


def test_denoising_steps_back_through_the_posterior_of_its_own_mixing(data: Transitions) -> None:
    """a^(i-1) given a^i and a_0 is Gaussian; its mean by Bayes' rule from the two mixings."""
    agent = agent_for(DiffusionQLOptions(**SMALL, denoising_steps=4), data)
    assert isinstance(agent, DiffusionQL)
    beta = [1 - torch.exp(torch.tensor(-0.1 / 4 - 9.9 * (2 * i - 1) / 32)).item() for i in range(1, 5)]
    kept = torch.cumprod(1 - torch.tensor(beta), 0)
    torch.testing.assert_close(agent.c, kept)
    state, draws = torch.zeros(5, 3), torch.Generator().manual_seed(8)
    action = torch.randn(5, 2, generator=draws)
    for i in (3, 2, 1, 0):
        step = torch.zeros(5, 4)
        step[:, i] = 1
        noise = agent.actor(torch.cat([action, step, state], 1))
        guess = ((action - (1 - kept[i]).sqrt() * noise) / kept[i].sqrt()).clip(-1, 1)
        if i == 0:
            action = guess
            continue
        before = kept[i - 1]
        # Precisions add: of a^(i-1) around sqrt(before) a_0, and of a^i around sqrt(1 - beta) a^(i-1).
        precision = 1 / (1 - before) + (1 - beta[i]) / beta[i]
        mean = (before.sqrt() * guess / (1 - before) + (1 - beta[i]) ** 0.5 * action / beta[i]) / precision
        action = mean + precision**-0.5 * torch.randn(5, 2, generator=draws)
    found = agent.denoise(agent.actor, state, torch.Generator().manual_seed(8))
    torch.testing.assert_close(found, action, rtol=1e-3, atol=1e-4)
    assert found.abs().max() <= 1


class BestGuess(nn.Module):
    """The noise in a^i where the actions are -.6 and .6, alike often: by Bayes' rule the action to be expected is
    E[a | a^i] = .6 tanh(.6 sqrt(c_i) a^i / (1 - c_i)). No denoiser has a lower loss."""

    def __init__(self, c: Tensor) -> None:
        super().__init__()
        self.c = c

    def forward(self, inputs: Tensor) -> Tensor:
        mixed, c = inputs[:, :1], inputs[:, 1 : 1 + len(self.c)] @ self.c[:, None]
        mean = 0.6 * torch.tanh(0.6 * c.sqrt() * mixed / (1 - c))
        return (mixed - c.sqrt() * mean) / (1 - c).sqrt()


def two_actions(**settings: Any) -> tuple[DiffusionQL, Replay]:
    """An agent for a single state in which -.6 and .6 were recorded."""
    state, after = torch.zeros(2, 2, 1)
    data = Transitions(state, torch.tensor([[-0.6], [0.6]]), torch.zeros(2), after, torch.ones(2))
    agent = agent_for(DiffusionQLOptions(q_weight=0.0, **settings), data)
    assert isinstance(agent, DiffusionQL)
    return agent, Replay.of(data, agent.scaling)


def drawn(agent: DiffusionQL, actor: nn.Module, n: int = 1000) -> Tensor:
    with torch.no_grad():
        return agent.denoise(actor, torch.zeros(n, 1), torch.Generator().manual_seed(0)).flatten()


def near(actions: Tensor, distance: float) -> float:
    """Share of actions that close to -.6 or .6."""
    return ((actions.abs() - 0.6).abs() < distance).float().mean().item()


def test_diffusion_draws_two_separate_actions_where_its_guess_is_the_best_there_is() -> None:
    agent, _ = two_actions(hidden=(4,), denoising_steps=20)
    actions = drawn(agent, BestGuess(agent.c))
    assert near(actions, 0.1) > 0.95
    assert 0.4 < (actions > 0).float().mean() < 0.6


def test_diffusion_learns_to_draw_as_the_best_guess_does() -> None:
    """Five steps are coarse: even the best guess puts only 62 % of its draws within .2 of an action."""
    agent, replay = two_actions(hidden=(32, 32), lr=0.01)
    best = drawn(agent, BestGuess(agent.c))
    assert near(drawn(agent, agent.actor), 0.2) < 0.3
    for _ in range(1000):
        descend(agent.policy_loss(replay.sample(256, agent.generator)), agent.actor_optimizer, agent.actor_parameters)
    learned = drawn(agent, agent.actor)
    assert near(learned, 0.2) == pytest.approx(near(best, 0.2), abs=0.06)
    assert learned.std().item() == pytest.approx(best.std().item(), rel=0.05)
    assert 0.4 < (learned > 0).float().mean() < 0.6


def test_diffusion_imitates_by_guessing_the_noise_it_mixed_in(data: Transitions) -> None:
    agent = agent_for(DiffusionQLOptions(**SMALL, q_weight=0.0), data)
    batch = Replay.of(data, agent.scaling).all()
    draws = torch.Generator()
    draws.set_state(agent.generator.get_state())
    found = agent.policy_loss(batch)
    i, noise = torch.randint(5, (40,), generator=draws), torch.randn(40, 2, generator=draws)
    total = torch.zeros(())
    for row in range(40):
        kept = agent.c[i[row]]
        mixed = kept.sqrt() * batch.action[row] + (1 - kept).sqrt() * noise[row]
        step = torch.tensor([float(j == i[row]) for j in range(5)])
        total = total + (noise[row] - agent.actor(torch.cat([mixed, step, batch.state[row]]))).square().mean()
    torch.testing.assert_close(found, total / 40)


@pytest.mark.parametrize("name", METHODS)
def test_layer_norm_is_one_switch_for_every_critic(name: str, data: Transitions) -> None:
    options, _ = METHODS[name]
    if name == "behaviour-cloning":
        with pytest.raises(TypeError):
            options(layer_norm=True)
        return
    for switch in (False, True):
        agent = agent_for(options(hidden=(6, 6), layer_norm=switch), data)
        for critic in [*agent.critics, *agent.twins.target]:
            assert sum(isinstance(layer, nn.LayerNorm) for layer in critic) == 2 * switch


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_loaded_state_goes_on_with_the_same_bits(name: str, optimizer: str, data: Transitions) -> None:
    options, _ = METHODS[name]
    agent, other = (agent_for(options(hidden=(6,), batch_size=8, optimizer=optimizer), data, seed=s) for s in (0, 1))
    replay = Replay.of(data, agent.scaling)
    for _ in range(3):
        agent.update(replay.sample(8, agent.generator))
    other.load_state_dict(copy.deepcopy(agent.state_dict()))
    for each in (agent, other):
        for _ in range(3):
            each.update(replay.sample(8, each.generator))
    first, second = (list(a.parts["actor"].parameters()) for a in (agent, other))
    assert all(torch.equal(p, q) for p, q in zip(first, second, strict=True))
    assert agent.updates == other.updates == 6


@pytest.mark.parametrize("name", [name for name in METHODS if name != "behaviour-cloning"])
def test_bootstrap_is_what_seem_needs_and_leaves_the_draws_alone(name: str, data: Transitions) -> None:
    agent = agent_for(METHODS[name][0](hidden=(6,), gamma=0.9), data)
    before = agent.generator.get_state()
    x, x_next, discount = agent.bootstrap(data)
    assert torch.equal(x_next, agent.bootstrap(data)[1])
    assert torch.equal(before, agent.generator.get_state())
    scaled = Replay.of(data, agent.scaling).all()
    assert torch.equal(x, scaled.x) and torch.equal(x_next[:, :3], scaled.next_state)
    torch.testing.assert_close(discount, 0.9 * (1 - data.terminal))


def test_a_full_store_forgets_the_oldest() -> None:
    replay = Replay(3, 1, Scaling.none(1))
    for i in range(5):
        replay.add([[float(i)]], [[0.0]], [0.0], [[0.0]], [0.0])
    assert len(replay) == 3
    assert sorted(replay.all().state.flatten().tolist()) == [2.0, 3.0, 4.0]


def test_td3_is_generic_in_its_state(data: Transitions) -> None:
    agent = agent_for(TD3Options(hidden=(6,)), data)
    assert isinstance(agent, TD3) and agent.finite
    agent.actor[0][0].weight.data[0, 0] = float("inf")
    assert not agent.finite
