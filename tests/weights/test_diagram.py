"""Diagrams show the whole circuit without overlaps and are self-contained."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from visioncircuits.networks import Network
from visioncircuits.weights import Circuit, circuit, circuit_diagram, decoded

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def found(network: Network) -> Circuit:
    return circuit(network, "mixed3b:330", inputs=2, outputs=1, share=0.9, most=11)


def parts(drawing: str, tag: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(drawing).iter(SVG + tag))


def image(element: ElementTree.Element) -> np.ndarray:
    data = base64.b64decode(element.attrib["href"].partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def test_every_feature_and_every_connection_is_drawn(found: Circuit) -> None:
    drawing = circuit_diagram(found)
    titles = [title.text or "" for title in parts(drawing, "title")]
    for feature in found.features:
        assert str(feature) in titles
    lines = [title for title in titles if "→" in title]
    assert (
        len(lines) == len(parts(drawing, "path")) == sum(int(s.drawn.sum()) for s in found.levels)
    )
    assert len(found.features) >= 30
    headings = [text.text for text in parts(drawing, "text") if text.get("font-weight") == "bold"]
    assert headings == ["conv2d2", "mixed3a", "mixed3b", "mixed4a"]


def test_a_line_has_its_numbers_as_title_and_its_kernel_as_picture(found: Circuit) -> None:
    level = found.levels[1]
    weights, scale = level.weights, float(level.weights.weight[level.drawn].abs().max())
    kernels = {str(f): weights.weight[0, at] for at, f in enumerate(weights.inputs)}
    shares = {str(f): float(level.share[0, at]) for at, f in enumerate(weights.inputs)}
    count = 0
    for group in parts(circuit_diagram(found), "g"):
        title = group.findtext(SVG + "title") or ""
        if "→ mixed3b:330" not in title:
            continue
        kernel, picture = kernels[title.split()[0]], group.find(SVG + "image")
        assert picture is not None
        pixels = image(picture)
        zoom = len(pixels) // len(kernel)
        values = decoded(pixels[zoom // 2 :: zoom, zoom // 2 :: zoom], scale)
        assert np.abs(values - kernel.numpy()).max() <= 0.005 * scale
        assert f"{shares[title.split()[0]]:.1%}" in title
        exciting, inhibiting = (float(n) for n in re.findall(r"[+−](\d*\.?\d+)", title)[:2])
        assert exciting == pytest.approx(float(kernel.clamp(min=0).norm()), rel=0.06)
        assert inhibiting == pytest.approx(float(kernel.clamp(max=0).norm()), rel=0.06)
        count += 1
    assert count == int(level.drawn.sum())


def test_nothing_overlaps_or_lies_outside(found: Circuit) -> None:
    drawing = circuit_diagram(found)
    root = ElementTree.fromstring(drawing)
    boxes = []
    for element in [*parts(drawing, "image"), *parts(drawing, "rect")[1:]]:
        if element.get("stroke") is None:
            x, y, w, h = (float(element.attrib[name]) for name in ("x", "y", "width", "height"))
            assert x >= 0
            assert y >= 0
            assert x + w <= float(root.attrib["width"])
            assert y + h <= float(root.attrib["height"])
            boxes.append((x, y, x + w, y + h))
    for at, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[:at]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top


def test_lines_are_red_for_excitation_blue_for_inhibition_gray_for_both(network: Network) -> None:
    found = circuit(network, "mixed3a:7", inputs=1, most=3, share=1.0)
    weight = torch.ones_like(found.levels[0].weights.weight)
    weight[:, 1] = -1
    weight[:, 2, ..., 0] = -1
    weight[:, 2, ..., 1:] = 1 / (weight.shape[-1] - 1) ** 0.5
    object.__setattr__(found.levels[0].weights, "weight", weight)
    inks = {}
    for group in parts(circuit_diagram(found), "g"):
        line = group.find(SVG + "path")
        if line is not None:
            inks[(group.findtext(SVG + "title") or "").split()[0]] = line.attrib["stroke"]
    assert [inks[str(f)] for f in found.columns[0]] == ["#ca0020", "#0571b0", "#969696"]


def test_diagram_is_self_contained_and_reproducible(found: Circuit) -> None:
    pictures = {str(f): Image.new("RGB", (90, 90), "orange") for f in found.features}
    drawing = circuit_diagram(found, pictures)
    assert drawing == circuit_diagram(found, pictures)
    links = re.findall(r'(?:href|src)="([^"]{0,30})', drawing)
    assert all(link.startswith("data:image/") for link in links)
    photographs = [
        element for element in parts(drawing, "image") if "jpeg" in element.attrib["href"]
    ]
    assert len(photographs) == len(found.features)


def test_share_of_weights_drawn_is_printed_below_each_feature(found: Circuit) -> None:
    level = found.levels[0]
    texts = {text.text for text in parts(circuit_diagram(found), "text")}
    for carried in (level.share * level.drawn).sum(1).tolist():
        assert f"{carried:.0%} drawn" in texts
