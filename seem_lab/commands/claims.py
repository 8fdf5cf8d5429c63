"""`seem-lab claims`."""

from __future__ import annotations

import sys
import time

import torch

from seem_lab.claims import find, ledger, report


def claims(run: tuple[str, ...] = (), check: bool = False) -> None:
    """Print the ledger: every claim of the paper, what was found here, and the verdict.

    Args:
        run: names of claims; a part of their stored results is made again and printed.
        check: compare what is made again with what is stored (all claims if none is named); exit status 1 if one
            differs.
    """
    rows = [find(name) for name in run]
    if not rows and not check:
        print(report(ledger()))
        return
    torch.set_num_threads(1)  # as the tables were made
    differs = False
    for claim in rows or ledger():
        if claim.rerun is None:
            print(f"{claim.name}: {claim.verdict}; {claim.reason}")
            continue
        start = time.process_time()
        made = claim.rerun.again()
        seconds = time.process_time() - start
        if check:
            found = claim.rerun.compare(made)
            differs |= not found.agrees
            print(f"{claim.name}: {found} ({claim.rerun.what}; {seconds:.0f} s of processor time)")
        else:
            print(
                f"{claim.name}: {claim.rerun.what}, {seconds:.0f} s of processor time\n{made.to_string(index=False)}\n"
            )
    if differs:
        sys.exit(1)
