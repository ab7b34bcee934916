import json
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from PIL import Image

from visioncircuits import handwritten
from visioncircuits.comparison import Comparison, compare_kernels, compare_tuning, family
from visioncircuits.comparison.controls import BESIDE, CONTROLS, HANDWRITTEN
from visioncircuits.handwritten.curves import LEFT_OUT
from visioncircuits.hypotheses import Hypothesis, Prediction, effects
from visioncircuits.site import report
from visioncircuits.site.report_numbers import goals, summary
from visioncircuits.stimuli import named


def scores(shares: dict[str, float]) -> xr.Dataset:
    """Removals of which the strictest costs 1 nat a photograph, and what repairs shares of that."""
    cost = np.random.default_rng(0).gamma(4.0, 0.25, 60)
    names = ["original", "zero", "mean", *shares]
    left = np.array([0.0, 2.0, 1.0, *(1 - share for share in shares.values())])
    entropy = 1 + left[:, None] * cost
    return xr.Dataset(
        {
            "cross_entropy": (("condition", "photograph"), entropy),
            "divergence": (("condition", "photograph"), entropy - 1),
            "top1": (("condition", "photograph"), (entropy < 1.5).astype(float)),
            "top5": (("condition", "photograph"), np.ones_like(entropy)),
        },
        coords={"condition": names},
    )


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """The circuit beside itself, with scores that were made up."""
    network = handwritten.load("curves")
    three = family(network, ["mixed3b:3", "mixed3b:9", "mixed3b:21"], "curve")
    early = family(network, ["mixed3a:3", "mixed3a:9", "mixed3a:21"], "curve")
    tuning = compare_tuning(three, three, named("curves").isel(radius=[1, 2]))
    return Comparison(
        trained=three,
        handwritten=three,
        tuning={"curves": tuning},
        kernels=compare_kernels(three, early, three, early),
        maps=xr.DataArray([0.1, 0.2, 0.3], dims="unit"),
        contrast=xr.DataArray([0.1, 0.1, 0.1], dims="unit"),
        scores=scores({"others": 0.9, HANDWRITTEN: 0.75, **dict.fromkeys(BESIDE, 0.2)}),
        without=xr.Dataset(
            {name: ("without", np.zeros(10)) for name in ("surface", "width", "echo", "off")},
            coords={"without": ["nothing", *LEFT_OUT]},
        ),
        scores_without=scores(dict.fromkeys(["nothing", *LEFT_OUT], 0.4)),
    )


def test_the_page_links_only_to_its_own_files_and_shows_the_numbers(
    comparison: Comparison, tmp_path: Path
) -> None:
    picture = Image.new("RGB", (8, 8))
    drawn = {
        which: dict.fromkeys(comparison.trained.names, picture)
        for which in ("trained", "handwritten")
    }
    page = report.write(comparison, drawn, tmp_path)
    text = page.read_text("utf-8")
    for link in re.findall(r'(?:src|href)="([^"]+)"', text):
        assert link == "data:," or (tmp_path / link).is_file(), link
    assert "of a network where they are set to their mean" in text
    assert "75 %" in text
    assert "short:" not in text
    numbers = json.loads((tmp_path / "comparison.json").read_text("utf-8"))
    assert numbers["repair"][HANDWRITTEN]["divergence"] == pytest.approx([0.75] * 3)
    assert numbers["repair_over"]["zero"][HANDWRITTEN]["divergence"] == pytest.approx([0.875] * 3)
    assert numbers["tuning"]["curves"]["surface"] == pytest.approx(1, abs=1e-5)
    assert numbers["kernels"]["aligned"] == pytest.approx(1, abs=1e-5)


def test_without_orientation_kernels_or_parts_the_page_leaves_them_out(
    comparison: Comparison, tmp_path: Path
) -> None:
    spots = Hypothesis(
        "spot",
        named("color-center-surround"),
        (Prediction("prefers one hue", effects.echo, most=0.5, options={"axis": "hue"}),),
    )
    network = handwritten.load("color-center-surround")
    two = family(network, ["mixed3a:1", "mixed3a:2"], spots)
    made = scores({HANDWRITTEN: 0.75, **dict.fromkeys(CONTROLS[1:], 0.2)})
    tuning = {"spots": compare_tuning(two, two, spots.stimuli)}
    maps = xr.DataArray([0.1, 0.2], dims="unit")
    page = report.write(Comparison(two, two, tuning, None, maps, made), {}, tmp_path)
    text = page.read_text("utf-8")
    assert "Spot detectors by hand" in text
    assert not {"faces", "echo", "Weights", "Without", "Published"} & set(re.findall(r"\w+", text))


@pytest.mark.slow
def test_the_same_comparison_gives_the_same_bytes(comparison: Comparison, tmp_path: Path) -> None:
    for name in ("a", "b"):
        report.write(comparison, {}, tmp_path / name)
    files = [path for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert len(files) == 7
    for path in files:
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_a_missed_goal_reports_by_how_much(comparison: Comparison) -> None:
    numbers = summary(comparison)
    assert all(goal.reached for goal in goals(numbers))
    numbers["kernels"]["aligned"] = 0.4
    numbers["advantage"][CONTROLS[1]]["divergence"] = [0.1, -0.01, 0.2]
    missed = [goal for goal in goals(numbers) if not goal.reached]
    assert [goal.short for goal in missed] == ["0.20", CONTROLS[1]]
