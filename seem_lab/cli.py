"""The command line `seem-lab`: one function a command, each in a file of `seem_lab/commands/`."""

from __future__ import annotations

import tyro

from seem_lab.commands.record import record
from seem_lab.commands.report import report
from seem_lab.commands.version import version

COMMANDS = (
    record,
    report,
    version,
)


def main() -> None:
    """`seem-lab COMMAND ...`; `--help` lists the commands, `COMMAND --help` the options of one."""
    commands = {command.__name__: command for command in COMMANDS}
    tyro.extras.subcommand_cli_from_dict(
        commands, prog="seem-lab", description="Why a Q-value blows up, read off one eigenvalue."
    )
