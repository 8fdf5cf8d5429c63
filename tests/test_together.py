"""Several seeds in one batch of tensors are the runs that each seed has alone."""

from dataclasses import replace

import pytest
import torch

from seem_lab.critics import CQLOptions, RunOptions, TD3Options, train_agent, train_together
from seem_lab.transitions import Transitions


def data(n: int = 200) -> Transitions:
    generator = torch.Generator().manual_seed(0)
    state, after = torch.randn(2, n, 3, generator=generator)
    return Transitions(
        state,
        torch.rand(n, 2, generator=generator) * 2 - 1,
        torch.randn(n, generator=generator),
        after,
        torch.rand(n, generator=generator) < 0.1,
    )


SHORT = RunOptions(steps=30, log_every=10, seem_every=10, seem_transitions=40, device="cpu")


@pytest.mark.parametrize(
    "options",
    [
        TD3Options(hidden=(16, 16), batch_size=32, tau=1.0),
        TD3Options(hidden=(16,), batch_size=32, tau=0.3, layer_norm=True, behaviour_weight=0.5, reward_scale=2.0),
        TD3Options(hidden=(16,), batch_size=32, optimizer="sgd", lr=0.01, policy_delay=1),
    ],
)
def test_together_is_one_by_one(options):
    runs = train_together(options, data(), (3, 8), SHORT, show=False)
    for seed, run in zip((3, 8), runs, strict=True):
        alone = train_agent(options, data(), replace(SHORT, seed=seed), show=False)
        assert run.q_max == pytest.approx(alone.q_max, rel=1e-3)
        assert run.agent.updates == 30
        numbers = ["step", "q_mean", "q_max", "critic_loss", "policy_loss", "seem_per_parameter"]
        ours, theirs = (r.log.table()[numbers].astype(float) for r in (run, alone))
        assert ours.to_numpy() == pytest.approx(theirs.to_numpy(), rel=2e-3, abs=1e-4, nan_ok=True)
        for part in ("critics", "target_critics", "actor", "target_actor"):
            pairs = zip(run.agent.parts[part].parameters(), alone.agent.parts[part].parameters(), strict=True)
            assert all(torch.allclose(p, q, rtol=1e-3, atol=1e-4) for p, q in pairs), part


def test_one_run_ends_and_the_other_goes_on():
    """A run that has passed `stop_above` is over at its next row; its networks are not followed any further."""
    options = TD3Options(hidden=(16,), batch_size=32, tau=1.0)
    largest = [run.q_max for run in train_together(options, data(), (3, 8), SHORT, show=False)]
    limit = train_together(options, data(), (3,), SHORT, show=False)[0].q_limit
    between = sum(largest) / 2 / limit
    runs = train_together(options, data(), (3, 8), replace(SHORT, stop_above=between), show=False)
    assert sorted(run.agent.updates < 30 for run in runs) == [False, True]


def test_only_td3_can_be_trained_together():
    with pytest.raises(TypeError, match="only TD3 and TD3\\+BC can be trained together, got CQLOptions"):
        train_together(CQLOptions(hidden=(8,)), data(), (0, 1), SHORT)


def test_a_single_run_stops_above_its_limit():
    options = TD3Options(hidden=(16,), batch_size=32, tau=1.0)
    run = train_agent(options, data(), replace(SHORT, stop_above=1e-6), show=False)
    assert run.agent.updates == 10  # its first row
