"""Rows on how it happens: the loop, and what stands still at the end."""

from __future__ import annotations

from seem_lab.adam_runs import stored_adam_runs
from seem_lab.claims.bounds import ALIKE, CLOSE, MOST, NEARLY_ALL
from seem_lab.claims.claim import Claim, Rerun
from seem_lab.claims.finding import Finding, median, share
from seem_lab.claims.stored import script, table


def _self_excitation() -> tuple[Finding, ...]:
    steps = table("one_step.csv")
    small = steps[steps["size"] < 0.1]
    same, changed = (rows.groupby("seed").median() for rows in (small[small.switches == 0], small[small.switches > 0]))
    runs = table("remedies.csv")
    runs = runs[runs.population == "diverging"]
    return (
        median("error of the one-step law, next actions unchanged", same.residual, most=CLOSE),
        median("error of the law without the move of the targets", same.residual_without_targets, least=1.0),
        share("blow up with the targets as they are", runs[runs.family == "plain"].diverged, least=MOST),
        share("blow up with the data's own next action", runs[runs.family == "in-sample action"].diverged, most=MOST),
        median("error of the law where a next action changes", changed.residual, most=CLOSE, core=False),
    )


def _settled_actions() -> tuple[Finding, ...]:
    runs = table("last_switches.csv")
    kept = runs.last_switch < runs.crash_step - 20
    two, three = (kept[runs.depth == depth] for depth in (2, 3))
    adam = stored_adam_runs()
    climbing = adam.q_max[:, -1] > 10
    return (
        share("keep every next action in the last 20 steps, SGD, two layers", two, least=MOST),
        share("nearly all runs do so, SGD, two layers", two, least=NEARLY_ALL, core=False),
        share("nearly all runs do so, SGD, three layers", three, least=NEARLY_ALL, core=False),
        share(
            "keep every next action from step 2000 to 4000, Adam",
            adam.last_switch[climbing] <= 2000,
            least=NEARLY_ALL,
            core=False,
        ),
    )


def _settled_kernel() -> tuple[Finding, ...]:
    runs = table("settling.csv")
    two, three = (runs[runs.depth == depth] for depth in (2, 3))
    return (
        median(
            "cosine of G(X*, X) at ten times the least error and at the end, two layers",
            two.kernel_cosine_10x,
            least=ALIKE,
        ),
        median("the same cosine, three layers", three.kernel_cosine_10x, least=ALIKE),
        median("cosine of the matrix A, two layers", two.matrix_cosine_10x, least=ALIKE, core=False),
        median("cosine of the matrix A, three layers", three.matrix_cosine_10x, least=ALIKE, core=False),
        median("cosine of the TD error, three layers", three.error_cosine_10x, least=ALIKE, core=False),
    )


CLAIMS = (
    Claim(
        name="self-excitation",
        says="Values diverge because an update of the data's values moves their own targets even further.",
        setting="toy walk, discount .99, SGD, two layers: every fifth step of 24 runs against u + eps A u; and 12 "
        "walks whose target takes the data's own next action",
        lesson="03",
        files=("one_step.csv", "remedies.csv"),
        weigh=_self_excitation,
        rerun=Rerun(
            "one-step law, seeds 0 and 1",
            seconds=4,
            again=lambda: script("make_claim_runs").one_step([0, 1]),
            stored=lambda: table("one_step.csv"),
            keys=("seed", "step"),
        ),
    ),
    Claim(
        name="settled-actions",
        says="Before the end the greedy next actions no longer change.",
        setting="toy walk, discount .99: 200 runs each of two and three layers that blow up under SGD; 24 that climb "
        "under Adam",
        lesson="01",
        files=("last_switches.csv", "adam_runs.npz"),
        weigh=_settled_actions,
        rerun=Rerun(
            "two layers, seeds 200 to 219",
            seconds=1,
            again=lambda: script("make_claim_runs").last_switches([2], range(200, 220)),
            stored=lambda: table("last_switches.csv"),
            keys=("depth", "seed"),
        ),
    ),
    Claim(
        name="settled-kernel",
        says="Before the end the kernel keeps its direction, and only its size grows.",
        setting="toy walk, discount .99, SGD, 48 runs each of two and three layers: kernels at ten times the error's "
        "minimum against those of the last step before |Q| passes a million",
        lesson="05",
        files=("settling.csv",),
        weigh=_settled_kernel,
        rerun=Rerun(
            "three layers, seeds 0 and 1",
            seconds=3,
            again=lambda: script("make_claim_runs").settling([3], [0, 1]),
            stored=lambda: table("settling.csv"),
            keys=("depth", "seed"),
        ),
    ),
)
