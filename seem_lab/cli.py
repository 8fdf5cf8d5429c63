"""The command line `seem-lab`: one function a command, each in a file of `seem_lab/commands/`."""

from __future__ import annotations

import tyro

from seem_lab.commands.app import app
from seem_lab.commands.claims import claims
from seem_lab.commands.doctor import doctor
from seem_lab.commands.evaluate import evaluate
from seem_lab.commands.plot import plot
from seem_lab.commands.record import record
from seem_lab.commands.report import report
from seem_lab.commands.seem import seem
from seem_lab.commands.train import train

COMMANDS = (
    record,
    train,
    evaluate,
    seem,
    plot,
    report,
    claims,
    app,
    doctor,
)


def main() -> None:
    """`seem-lab COMMAND ...`; `--help` lists the commands, `COMMAND --help` the options of one."""
    commands = {command.__name__: command for command in COMMANDS}
    try:
        tyro.extras.subcommand_cli_from_dict(
            commands,
            prog="seem-lab",
            description="Why a Q-value blows up, read off one eigenvalue.",
            config=(tyro.conf.CascadeSubcommandArgs,),
        )
    except (ValueError, OSError) as error:  # bad input: what was expected, what came, the fix; no traceback
        raise SystemExit(f"seem-lab: {error}") from error
