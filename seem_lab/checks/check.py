"""How an exercise tells its reader "right", or what is off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Check:
    """The outcome of a check; a notebook shows its sentence.

    Args:
        passed: whether the answer is right.
        message: what is right, or what is off and where to look.
    """

    passed: bool
    message: str

    def __repr__(self) -> str:
        return f"{'Right.' if self.passed else 'Not yet:'} {self.message}"


def compare(
    answer: Any,
    truth: Callable[..., Any],
    cases: Sequence[tuple[Any, ...]],
    *,
    praise: str,
    mistakes: Mapping[str, Callable[..., Any]] | None = None,
    tolerance: float = 1e-8,
) -> Check:
    """Call the reader's function on some cases and compare it with the truth.

    Args:
        answer: the reader's function.
        truth: what it should compute.
        cases: argument tuples to try; the first ones should be simple, they are shown when something is off.
        praise: what a right answer has shown.
        mistakes: known wrong answers, each under the sentence that helps: if the reader's function agrees with one of
            them on every case, that sentence is the message.
        tolerance: relative, against the largest entry of the truth (absolute below 1).

    Returns:
        A `Check`; an exception in the reader's function becomes its message.
    """
    if not callable(answer):
        return Check(False, f"a function is needed, got {type(answer).__name__}")
    outputs = []
    for case in cases:
        try:
            output = answer(*case)
        except Exception as error:
            return Check(False, f"called with {_show(case)}, it raised {type(error).__name__}: {error}")
        if output is None or output is ...:
            return Check(False, "nothing came back; put your own line in place of the dots and return its result")
        outputs.append(output)
    expected = [truth(*case) for case in cases]
    wrong = [k for k in range(len(cases)) if not _close(outputs[k], expected[k], tolerance)]
    if not wrong:
        return Check(True, praise)
    for sentence, mistake in (mistakes or {}).items():
        if all(_close(output, mistake(*case), tolerance) for case, output in zip(cases, outputs, strict=True)):
            return Check(False, sentence)
    first = wrong[0]
    return Check(False, f"called with {_show(cases[first])}, {_difference(outputs[first], expected[first])}")


def _close(output: Any, expected: Any, tolerance: float) -> bool:
    if isinstance(expected, str):
        return bool(output == expected)
    try:
        output = torch.as_tensor(output).to(torch.complex128)
        expected = torch.as_tensor(expected).to(torch.complex128)
    except (TypeError, ValueError, RuntimeError):
        return False
    if output.shape != expected.shape:
        return False
    scale = max(1.0, expected.abs().max().item()) if expected.numel() else 1.0
    return bool(((output - expected).abs() <= tolerance * scale).all())


def _difference(output: Any, expected: Any) -> str:
    """What is off: the shape, the largest of many entries, or the one value."""
    plain = f"it should give {_show((expected,))}, but gave {_show((output,))}"
    if not (isinstance(expected, torch.Tensor) and isinstance(output, torch.Tensor)) or expected.numel() <= 6:
        return plain
    if output.shape != expected.shape:
        return f"it should give shape {tuple(expected.shape)}, but gave {tuple(output.shape)}"
    worst = int((output - expected).abs().argmax())
    index = tuple(int(i) for i in torch.unravel_index(torch.tensor(worst), expected.shape))
    return (
        f"the shape {tuple(expected.shape)} is right, but the entries are not: entry {index} should be "
        f"{expected[index].item():.6g}, but is {output[index].item():.6g}"
    )


def _show(values: tuple[Any, ...]) -> str:
    """Values as a reader would write them: numbers and short tensors whole, anything else by its type and shape."""
    parts = []
    for value in values:
        if isinstance(value, torch.Tensor):
            short = value.numel() <= 6
            parts.append(str(value.tolist()) if short else f"a tensor of shape {tuple(value.shape)}")
        elif isinstance(value, int | float | complex | str | tuple | list):
            parts.append(f"{value:.6g}" if isinstance(value, float) else repr(value))
        else:
            parts.append(f"a {type(value).__name__}")
    return ", ".join(parts)
