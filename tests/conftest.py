"""One thread, fixed seeds, and what several files of tests need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import torch

if TYPE_CHECKING:
    from seem_lab.panels import Panel

torch.set_num_threads(1)
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Whatever a test draws from the global generator, it draws the same every time."""
    torch.manual_seed(0)


@pytest.fixture
def judge_exercise() -> Callable[[Callable, Callable, Mapping[str, Callable]], None]:
    """An exercise's check passes what is right, refuses the stub, and answers each known mistake with its words."""

    def judge(check: Callable, right: Callable, mistakes: Mapping[str, Callable]) -> None:
        assert repr(check(right)).startswith("Right. ")
        for stub in (lambda *arguments: ..., lambda *arguments: None):
            outcome = check(stub)
            assert not outcome.passed and "in place of the dots" in repr(outcome)
        for words, wrong in mistakes.items():
            outcome = check(wrong)
            assert not outcome.passed and words in outcome.message, outcome

    return judge


@pytest.fixture
def at() -> Callable[..., Any]:
    """What a panel shows at some parameters; those not named are as at first."""

    def result(panel: Panel, **parameters: Any) -> Any:
        panel.set(**{**panel._first, **parameters})
        return panel.result

    return result
