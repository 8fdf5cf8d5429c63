"""The monitor inside the libraries people use: the real ones, skipped where they are not installed."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from seem_lab import SeemMonitor, seem
from seem_lab.adapters import D3rlpyMonitor, StableBaselines3Monitor

pytestmark = pytest.mark.filterwarnings("ignore")  # what other libraries warn of is theirs


def learn(algorithm: str, environment: str, callback: object) -> tuple[list[torch.Tensor], object]:
    """A short run of Stable-Baselines3 and its final parameters."""
    stable_baselines3 = pytest.importorskip("stable_baselines3")
    settings = dict(learning_starts=50, batch_size=16, policy_kwargs=dict(net_arch=[16, 16]), seed=0, device="cpu")
    model = getattr(stable_baselines3, algorithm)("MlpPolicy", environment, **settings)
    model.learn(200, callback=callback)
    return [p.detach().clone() for p in model.policy.parameters()], model


@pytest.mark.parametrize(
    ("algorithm", "environment", "critics"),
    [("TD3", "Pendulum-v1", 2), ("SAC", "Pendulum-v1", 2), ("DDPG", "Pendulum-v1", 1), ("DQN", "CartPole-v1", 1)],
)
def test_stable_baselines3(algorithm: str, environment: str, critics: int) -> None:
    callback = StableBaselines3Monitor(n=32, every=50)
    watched, model = learn(algorithm, environment, callback)
    plain, _ = learn(algorithm, environment, None)
    assert all(torch.equal(a, b) for a, b in zip(watched, plain, strict=True))
    monitor = callback.monitor
    assert isinstance(monitor, SeemMonitor)
    assert [reading.step for reading in monitor.readings] == [33, 83, 133, 183]  # asked before step 32 is stored
    assert len(monitor.networks) == critics
    # the critics it reads are the live ones, on the algorithm's own values
    x = monitor.x
    state, action = x[:, : model.observation_space.shape[0]], x[:, model.observation_space.shape[0] :]
    with torch.no_grad():
        if algorithm == "DQN":
            expected = [model.q_net(state).gather(1, action.argmax(1, keepdim=True))]
        else:
            expected = model.critic(state, action)
        for network, q in zip(monitor.networks, expected, strict=True):
            assert torch.allclose(network(x).flatten(), q.flatten())
    last = max(seem(monitor.networks, x, callback._x_next().detach(), monitor.discount), key=lambda r: r.value)
    assert np.isfinite(last.value)


def test_stable_baselines3_without_a_critic_is_refused() -> None:
    stable_baselines3 = pytest.importorskip("stable_baselines3")
    model = stable_baselines3.PPO("MlpPolicy", "CartPole-v1", n_steps=64, device="cpu")
    with pytest.raises(ValueError, match="PPO has no critic with a replay buffer; use TD3, DDPG, SAC or DQN"):
        model.learn(64, callback=StableBaselines3Monitor())


def dataset(d3rlpy: object, discrete: bool) -> object:
    """Ten short episodes of noise."""
    rng = np.random.default_rng(0)
    n = 200
    actions = rng.integers(3, size=(n, 1)) if discrete else rng.uniform(-1, 1, (n, 2)).astype(np.float32)
    ends = (np.arange(n) % 20 == 19).astype(np.float32)
    observations = rng.normal(size=(n, 3)).astype(np.float32)
    return d3rlpy.dataset.MDPDataset(observations, actions, rng.normal(size=n).astype(np.float32), ends)


@pytest.mark.parametrize("config", ["TD3Config", "SACConfig", "TD3PlusBCConfig", "DQNConfig"])
def test_d3rlpy(config: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        d3rlpy = pytest.importorskip("d3rlpy")
    data = dataset(d3rlpy, config == "DQNConfig")

    def fit(callback: object) -> tuple[list[torch.Tensor], object]:
        d3rlpy.seed(0)
        scaler = d3rlpy.preprocessing.StandardObservationScaler()
        algo = getattr(d3rlpy.algos, config)(batch_size=16, observation_scaler=scaler).create(device="cpu")
        quiet = d3rlpy.logging.NoopAdapterFactory()
        algo.fit(data, 60, 20, logger_adapter=quiet, show_progress=False, callback=callback)
        return [p.detach().clone() for p in algo.impl.modules.q_funcs.parameters()], algo

    callback = D3rlpyMonitor(data, n=50, every=20)
    watched, algo = fit(callback)
    plain, _ = fit(None)
    assert all(torch.equal(a, b) for a, b in zip(watched, plain, strict=True))
    monitor = callback.monitor
    assert [reading.step for reading in monitor.readings] == [1, 21, 41]
    assert np.isfinite(monitor.columns()["seem"]).all()
    # the library's own value of the same observations (given unscaled) and actions
    state, action, _, terminal = callback._rows
    mine = torch.stack([network(monitor.x).flatten() for network in monitor.networks]).mean(0)
    theirs = algo.predict_value(state.numpy(), action.numpy().reshape(len(state), -1).squeeze())
    assert np.allclose(mine.detach().numpy(), theirs, atol=1e-5)
    assert torch.allclose(monitor.discount, algo.gamma * (1 - terminal.flatten().float()))
