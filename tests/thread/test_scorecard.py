"""The whole thread, quickly, on the real network: what CI runs of the articles."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from visioncircuits import thread


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.published
@pytest.mark.images
def test_the_whole_thread_runs_quickly_and_says_so(
    checkpoints: Path, published: Path, photographs: Path, tmp_path: Path
) -> None:
    command = [
        *(sys.executable, "-W", "error", "-c", "from visioncircuits.cli import main; main()"),
        *("reproduce", "all", "--network", "bvlc_googlenet", "--quick"),
        *("--images", str(photographs), "--published", str(published), "--out", str(tmp_path)),
    ]
    environment = {**os.environ, "VISIONCIRCUITS_CHECKPOINTS": str(checkpoints)}
    told = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert told.returncode == 0, told.stderr
    card = json.loads((tmp_path / "scorecard.json").read_text())
    assert [article["name"] for article in card["articles"]] == thread.names()
    assert card["quick"]
    rows = [row for article in card["articles"] for row in article["claims"]]
    for article in card["articles"]:
        assert article["unfinished"] == []
        assert {row["kind"] for row in article["claims"]} & {"published data", "this network"}
        page = (tmp_path / f"{article['name']}.html").read_text()
        assert "Quick run" in page
        for row in article["claims"]:
            assert row["why"] or row["word"] not in ("cannot be tested", "not run"), row["claim"]
    from_data = [row for row in rows if row["kind"] == "published data"]
    assert sum(row["word"] == "holds" for row in from_data) > 0.9 * len(from_data)
    here = [row for row in rows if row["kind"] == "this network"]
    assert sum(row["word"] == "holds" for row in here) > len(here) / 2
