"""Checks for the exercises: each takes the reader's function (or value) and says "right", or what is off."""

from seem_lab.checks.check import Check, compare
from seem_lab.checks.lesson_00 import check_diverged_share, check_td_error

__all__ = ["Check", "check_diverged_share", "check_td_error", "compare"]
