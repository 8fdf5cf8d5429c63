"""What the words of a claim mean in numbers: one meaning for all rows, set before the figures were put beside them."""

from __future__ import annotations

MOST = 0.5  # "most runs": more than half
NEARLY_ALL = 0.9  # "all", "always", "reliably"
HARDLY_ANY = 0.1  # "none", "never"
COIN = 0.5  # AUROC of a score that knows nothing
STRAIGHT = 0.99  # R^2 of what is called a straight line
CLOSE = 0.05  # relative distance from an order of growth that theory gives, or of a prediction from what came
TENTH = 0.1  # of the steps that were left: a forecast that may be called one
ALIKE = 0.95  # cosine of two directions that may be called one
BETTER = 0.01  # a difference that may be called one: an episode in a hundred, or that much return
