"""Rows on recorded control data and real critics."""

from __future__ import annotations

import pandas as pd

from seem_lab.claims.bounds import BETTER, HARDLY_ANY, MOST, NEARLY_ALL
from seem_lab.claims.claim import Claim, Rerun
from seem_lab.claims.finding import Finding, gain, share
from seem_lab.claims.stored import table
from seem_lab.evidence import PRESENT_RULE, alarms
from seem_lab.experiments import carry_out, jobs

FILES = ("full_scale_runs.csv", "full_scale_traces.csv.gz")
KEYS = ("part", "task", "fraction", "method", "layer_norm", "seed")
SETTING_A = {"tau": 1.0, "behaviour_weight": 0.5}  # of the maze


def runs(part: str, **wanted: object) -> pd.DataFrame:
    """The stored runs of one part of the experiments, with these settings."""
    found = table("full_scale_runs.csv")
    found = found[found.part == part]
    for column, value in wanted.items():
        found = found[found[column] == value]
    return found


def better(what: str, found: pd.DataFrame, *, core: bool = True) -> Finding:
    """How much more the policies with LayerNorm reach than those without."""
    return gain(what, found[found.layer_norm].score, found[~found.layer_norm].score, least=BETTER, core=core)


def _warning() -> tuple[Finding, ...]:
    watched = table("full_scale_runs.csv")
    watched = watched[watched.part.isin(["crossing", "rates"])]
    judged = alarms(PRESENT_RULE, watched, table("full_scale_traces.csv.gz"))
    crossed, calm = judged[judged.crossed_at.notna()], judged[judged.crossed_at.isna()]
    false = calm.outcome == "false alarm"
    return (
        share("warned before |Q| passes Qlim", crossed.outcome == "caught", least=NEARLY_ALL),
        share("warned though it never does, without LayerNorm", false[~calm.layer_norm], most=HARDLY_ANY, core=False),
        share("warned though it never does, with LayerNorm", false[calm.layer_norm], most=HARDLY_ANY, core=False),
    )


def _returns() -> tuple[Finding, ...]:
    mild = runs("maze", task="maze 0", tau=0.1, behaviour_weight=1.0, fraction=1.0)
    held = runs("plug-in control", method="td3", behaviour_weight=1.0)
    return (
        better(
            "success in the maze, data 0: LayerNorm less plain", runs("maze", task="maze 0", fraction=1.0, **SETTING_A)
        ),
        better("success in the maze, data 1", runs("maze", task="maze 1", fraction=1.0, **SETTING_A)),
        better("success with an 8-D action, data 0", runs("maze", task="maze8 0", method="td3"), core=False),
        better("success with an 8-D action, data 1", runs("maze", task="maze8 1", method="td3"), core=False),
        better("success in the mild setting (tau .1, full behaviour term)", mild, core=False),
        better("return in Hopper, TD3+BC, a tenth of the replay", held, core=False),
    )


def _few_data() -> tuple[Finding, ...]:
    hundredth = runs("crossing", task="hopper replay", fraction=0.01)
    passed = hundredth.crossed_at.notna()
    tenth = table("full_scale_runs.csv")
    tenth = tenth[(tenth.part == "maze") & (tenth.fraction == 0.1) & (tenth.method == "td3")]
    arrives = tenth[tenth.layer_norm].score >= 0.5
    return (
        share("pass Qlim on 1 % of Hopper's replay, plain", passed[~hundredth.layer_norm], least=MOST),
        share("pass Qlim on 1 % of Hopper's replay, LayerNorm", passed[hundredth.layer_norm], most=MOST),
        better("success in the maze, 10 % of the data: LayerNorm less plain", tenth),
        *(
            better(f"the same, data {number} alone", tenth[tenth.task == f"maze {number}"], core=False)
            for number in (0, 1)
        ),
        share("arrive in the maze, 10 % of the data, LayerNorm", arrives, least=MOST, core=False),
    )


def _plugs_in() -> tuple[Finding, ...]:
    maze, hopper = runs("plug-in maze"), runs("plug-in control")
    hopper = hopper[(hopper.method != "td3") | (hopper.behaviour_weight == 1)]
    both = pd.concat([maze, hopper])
    found = [share("pass Qlim with LayerNorm", both[both.layer_norm].crossed_at.notna(), most=HARDLY_ANY)]
    for method, name in (("td3", "TD3+BC"), ("cql", "CQL"), ("diffusion-ql", "Diffusion-QL")):
        found.append(better(f"success in the maze, {name}: LayerNorm less plain", maze[maze.method == method]))
        found.append(better(f"return in Hopper, {name}", hopper[hopper.method == method], core=False))
    return tuple(found)


def _again(part: str, **wanted: object) -> pd.DataFrame:
    """These lines of the experiments, run once more."""
    chosen = [job for job in jobs((part,)) if all(job.arm.settings[name] == value for name, value in wanted.items())]
    rows = [row for job in chosen for row in carry_out(job)]
    return pd.DataFrame(rows)[[*KEYS, "last_step", "q_max", "crossed_at", "score"]].astype({"crossed_at": float})


def _hundredth_again() -> pd.DataFrame:
    made = _again("crossing", task="hopper replay", fraction=0.01, layer_norm=False)
    return made.drop(columns="score")


def _held_again() -> pd.DataFrame:
    return _again("plug-in control", method="td3", behaviour_weight=1.0, layer_norm=False)


HUNDREDTH = Rerun(
    "plain TD3 on 1 % of Hopper's replay, all seeds",
    seconds=20,
    again=_hundredth_again,
    stored=lambda: runs("crossing"),
    keys=KEYS,
)
HELD = Rerun(
    "TD3+BC on a tenth of Hopper's replay, plain, all seeds",
    seconds=15,
    again=_held_again,
    stored=lambda: runs("plug-in control", behaviour_weight=1.0),
    keys=KEYS,
)
CLAIMS = (
    Claim(
        name="full-scale-warning",
        says="On benchmark tasks, too, SEEM surges before the values of a critic explode.",
        setting="offline TD3 without a behaviour term on recorded Hopper, HalfCheetah and Pendulum, three target "
        "rates; alarm of SeemMonitor",
        lesson="10",
        files=FILES,
        weigh=_warning,
        rerun=HUNDREDTH,
    ),
    Claim(
        name="returns",
        says="With LayerNorm the learned policies earn better returns.",
        setting="TD3 with half of TD3+BC's behaviour term in a small maze, target rate 1; beyond: milder settings, "
        "8-D actions, Hopper; the last policy, not the best",
        lesson="10",
        files=FILES[:1],
        weigh=_returns,
        rerun=HELD,
    ),
    Claim(
        name="few-data",
        says="LayerNorm still works with 1 % of the data, where earlier methods fail.",
        setting="1 % of Hopper's replay (values only), 10 % of the maze's data, two draws",
        lesson="10",
        files=FILES[:1],
        weigh=_few_data,
        rerun=HUNDREDTH,
    ),
    Claim(
        name="plugs-in",
        says="LayerNorm can be put into modern offline methods as it is, and improves them.",
        setting="TD3+BC, CQL and Diffusion-QL with target rate 1, maze and a tenth of Hopper's replay",
        lesson="10",
        files=FILES[:1],
        weigh=_plugs_in,
        rerun=HELD,
    ),
    Claim(
        name="state-of-the-art",
        says="With it, the best published returns are reached on hard benchmark tasks (D4RL's AntMaze above all).",
        setting="D4RL",
        lesson="10",
        reason="the data of D4RL are not in this repository, and published scores need those very data",
    ),
)
