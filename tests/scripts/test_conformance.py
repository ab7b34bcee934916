"""The page on networks has all of them, and what it says of some is what happens."""

import json

import pytest

import conformance
import figures
from visioncircuits.networks import torchvision_models as torchvision

ROWS = {
    row["network"].strip("`"): row
    for row in json.loads((figures.RESULTS / "conformance.json").read_text("utf-8"))["rows"]
}


def test_all_classifiers_of_torchvision_and_twelve_families_of_timm_are_on_the_page() -> None:
    assert {f"torchvision:{name}" for name in torchvision.names()} <= ROWS.keys()
    assert sum(name.startswith("timm:") for name in ROWS) >= 12


def test_all_but_transformers_run_through() -> None:
    stopped = [name for name, row in ROWS.items() if row["what stops it"]]
    assert all("vit" in name or "swin" in name for name in stopped), stopped


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "torchvision:shufflenet_v2_x0_5",
        "torchvision:mobilenet_v3_small",
        "timm:convnextv2_atto",
        "timm:mobileone_s0",
        "timm:regnety_002",
    ],
)
def test_what_the_page_says_is_what_happens(name: str) -> None:
    assert conformance.row(name) == ROWS[name]
