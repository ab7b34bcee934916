"""A newcomer without a network connection can build the documentation."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.slow
def test_pages_are_built_without_results_where_no_checkpoint_is_found(
    build: Callable[..., str], tmp_path: Path
) -> None:
    environment = {
        name: value for name, value in os.environ.items() if name != "VISIONCIRCUITS_CHECKPOINTS"
    }
    environment |= {"VISIONCIRCUITS_OFFLINE": "1", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    printed = build(tmp_path / "html", environment)
    reasons = [line for line in printed.splitlines() if "built without their results" in line]
    assert len(reasons) == 1
    page = (tmp_path / "html" / "examples" / "render.html").read_text("utf-8")
    assert "<h1>Render a unit" in page
    assert "<img" not in page.partition("<article")[2].partition("</article>")[0]
