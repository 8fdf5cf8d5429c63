"""The ledger: every claim of the paper, what was found here, and the verdict that follows from it.

`ledger()` is the whole of it. A row is a `Claim`; its figures are computed from the stored results in `data/`.
"""

from seem_lab.claims.claim import Claim, Rerun, Verdict
from seem_lab.claims.finding import Finding
from seem_lab.claims.ledger import find, ledger
from seem_lab.claims.report import markdown, report
from seem_lab.claims.stored import Provenance, provenance

__all__ = ["Claim", "Finding", "Provenance", "Rerun", "Verdict", "find", "ledger", "markdown", "provenance", "report"]
