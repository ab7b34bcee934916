"""What the page on networks says of some is what happens."""

import json

import pytest

import conformance
import figures


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["torchvision:shufflenet_v2_x0_5", "torchvision:mobilenet_v3_small"]
)
def test_what_the_page_says_is_what_happens(name: str) -> None:
    text = (figures.RESULTS / "conformance.json").read_text("utf-8")
    rows = {row["network"].strip("`"): row for row in json.loads(text)["rows"]}
    assert conformance.row(name) == rows[name]
