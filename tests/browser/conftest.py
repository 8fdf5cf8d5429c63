"""What the browser tests need, or why they are skipped; nothing is installed here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import serving


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium, closed after each file: Playwright keeps the event loop of its thread running."""
    pytest.importorskip("playwright.sync_api", reason="Playwright is missing: pip install playwright")
    if serving.CHROMIUM is None:
        pytest.skip("Chromium is missing (Debian: apt install chromium)")
    serving.SCREENSHOTS.mkdir(exist_ok=True)
    with serving.open_browser() as found:
        yield found
