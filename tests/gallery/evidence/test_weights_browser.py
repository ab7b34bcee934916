"""In a real browser links lead from unit to unit along the weights."""

import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from visioncircuits import gallery
from visioncircuits.gallery import writing
from visioncircuits.gallery.contents import FeatureEntry, Gallery
from visioncircuits.gallery.evidence.connections import Connected, Connections, Factor
from visioncircuits.gallery.evidence.weights import Weights
from visioncircuits.networks import Network, load
from visioncircuits.weights import decoded, signed_colors

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAME = "torchvision:squeezenet1_1"
RECIPE = f"""\
title = "Weights"
network = "{NAME}"
checkpoint = "random.safetensors"

[quality]
steps = 1
size = 32

[weights]
connections = 130

[[layers]]
name = "features.3.squeeze_activation"
units = "all"
families = {{ low = "0-7", all = "0-15" }}

[[layers]]
name = "features.3"
units = "60-75"
"""


@pytest.fixture(scope="module")
def built(random_squeezenet: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explorer")
    (folder / "random.safetensors").symlink_to(random_squeezenet)
    (folder / "recipe.toml").write_text(RECIPE)
    return gallery.build(folder / "recipe.toml", folder / "out", workers=1).parent


@pytest.fixture(scope="module")
def network(random_squeezenet: Path) -> Network:
    return load(NAME, checkpoint=random_squeezenet)


def cards(page: Page, section: str, layer: str) -> Locator:
    return page.locator(f'#{section} [data-layer="{layer}"] .connections > *:not([hidden])')


def names(found: Locator) -> list[int]:
    return [int(text) for text in found.locator("b").all_inner_texts()]


def test_links_lead_to_an_input_and_back_and_the_numbers_agree(
    page: Page, built: Path, network: Network
) -> None:
    kernels = network.module.features[3].expand3x3.weight.detach()
    page.goto((built / "layers/features.3/70.html").as_uri())
    first = cards(page, "inputs", "features.3.squeeze_activation").first
    (unit,) = names(first)
    strongest = kernels[70 - 64].flatten(1).norm(dim=1)
    assert unit == int(strongest.argmax())
    shown = [float(text) for text in (first.get_attribute("data-weights") or "").split()]
    kernel = kernels[70 - 64, unit]
    array = [float(part.norm()) for part in (kernel.clamp(min=0), kernel.clamp(max=0))]
    assert shown == pytest.approx(array, rel=1e-3)
    written = re.findall(r"[\d.]+", first.locator("small").inner_text())
    assert [float(text) for text in written] == pytest.approx(array, rel=0.06)

    first.click()
    expect(page.locator("h1")).to_have_text(f"features.3.squeeze_activation:{unit}")
    back = cards(page, "outputs", "features.3").filter(has=page.get_by_text("70", exact=True))
    assert back.get_attribute("data-weights") == " ".join(f"{value:.4g}" for value in shown)
    back.click()
    expect(page.locator("h1")).to_have_text("features.3:70")


KERNEL = """card => {
  const { width, height } = getComputedStyle(card, "::after");
  const { left } = card.getBoundingClientRect();
  const { top } = card.querySelector("small").getBoundingClientRect();
  const gap = parseFloat(getComputedStyle(card).rowGap);
  const [w, h] = [parseFloat(width), parseFloat(height)];
  return { x: left + scrollX, y: top + scrollY - gap - h, width: w, height: h };
}"""
"""Where a card's kernel is, which is no element: between its name and its number."""


def test_what_the_screen_shows_is_the_kernel(page: Page, built: Path, network: Network) -> None:
    page.goto((built / "layers/features.3/70.html").as_uri())
    first = cards(page, "inputs", "features.3.squeeze_activation").first
    kernel = network.module.features[3].expand3x3.weight[70 - 64, names(first)[0]].detach()
    image = Image.open(
        BytesIO(page.screenshot(full_page=True, clip=first.evaluate(KERNEL)))
    ).convert("RGB")
    zoom = image.width // 3
    pixels = np.asarray(image)[zoom // 2 :: zoom, zoom // 2 :: zoom]
    scale = float(network.module.features[3].expand3x3.weight[70 - 64].abs().max())
    assert np.abs(decoded(pixels, scale) - kernel.numpy()).max() <= 0.0051 * scale


def test_connections_are_sorted_by_the_chosen_strength(
    page: Page, built: Path, network: Network
) -> None:
    kernels = network.module.features[3].expand3x3.weight[70 - 64].detach()
    page.goto((built / "layers/features.3/70.html").as_uri())
    found = cards(page, "inputs", "features.3.squeeze_activation")
    sort = page.locator("#inputs").get_by_label("Sort by")
    for choice, strength in {
        "excitation": kernels.clamp(min=0).flatten(1).norm(dim=1),
        "inhibition": kernels.clamp(max=0).flatten(1).norm(dim=1),
        "strength": kernels.flatten(1).norm(dim=1),
    }.items():
        sort.select_option(choice)
        assert names(found) == strength.argsort(descending=True).tolist()
    sort.select_option("unit")
    assert names(found) == list(range(16))


def test_connections_are_filtered_by_family(page: Page, built: Path) -> None:
    page.goto((built / "layers/features.3/70.html").as_uri())
    page.locator("#inputs").get_by_label("Family").select_option("low")
    found = cards(page, "inputs", "features.3.squeeze_activation")
    assert sorted(names(found)) == list(range(8))
    expect(page.locator("#inputs output")).to_have_text(re.compile(r"^8 of \d+$"))
    page.locator("#inputs").get_by_label("Family").select_option("all")


def test_earlier_layers_unfold_and_units_without_a_page_are_no_links(
    page: Page, built: Path
) -> None:
    page.goto((built / "layers/features.3/70.html").as_uri())
    far = cards(page, "inputs", "features.1")
    expect(far.first).to_be_hidden()
    page.get_by_text("features.1", exact=True).click()
    expect(far.first).to_be_visible()
    assert far.first.evaluate("card => card.tagName") == "SPAN"
    page.goto((built / "layers/features.3.squeeze_activation/3.html").as_uri())
    outputs = cards(page, "outputs", "features.3")
    linked = outputs.evaluate_all(
        "all => all.filter(c => c.href).map(c => Number(c.querySelector('b').textContent))"
    )
    assert sorted(linked) == list(range(60, 76))


def test_without_scripts_everything_is_shown_and_linked(browser: Browser, built: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((built / "layers/features.3/70.html").as_uri())
    expect(page.locator("#inputs form")).to_be_hidden()
    cards(page, "inputs", "features.3.squeeze_activation").first.click()
    expect(page.locator("h1")).to_contain_text("squeeze_activation")
    context.close()


def test_a_phone_shows_it_without_scrolling_sideways(browser: Browser, built: Path) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True)
    page = context.new_page()
    page.goto((built / "layers/features.3/70.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_small_numbers_do_not_overlap_those_beside_them(
    page: Page, gallery: Gallery, tmp_path: Path
) -> None:
    small = tuple(Connected(unit, 8.6e-5, 8.6e-5, 8.6e-5) for unit in range(40))
    sheet = Image.new("RGB", (40, 1), "white")
    sheet.save(tmp_path / "weights.webp", lossless=True)
    shown = Connections("conv2d0", "", 1.0, (1, 1), 1, (1, 1), 0, 1e-4, small)
    first, layer = gallery.layers
    unit = replace(
        layer.features[0], evidence={"weights": (Weights("weights.webp", (1, 40), (shown,), ()),)}
    )
    layers = (first, replace(layer, features=(unit, *layer.features[1:])))
    writing.write(replace(gallery, layers=layers), tmp_path)
    page.goto((tmp_path / "layers/mixed3b/0.html").as_uri())
    numbers = page.locator(".connections small")
    assert numbers.first.inner_text().split() == ["+8.6e-5", "−8.6e-5"]
    cards = page.locator(".connections > *").evaluate_all(
        "all => all.every(card => card.scrollWidth <= card.clientWidth)"
    )
    assert cards, "every number is within its card"


def wide(gallery: Gallery, out: Path) -> Gallery:
    """Give each of 480 units fifty connections each way, which hardly compress."""
    rng = np.random.default_rng(7)
    tiles = [(50, 5), (2, 5), (12, 19), (2, 19), (12, 21), (2, 21), (12, 22), (3, 30), (50, 11)]
    shape = sum(size for _, size in tiles), max(count * size for count, size in tiles)
    (out / "weights").mkdir()

    def kernels() -> np.ndarray:
        sheet, top = np.full((*shape, 3), 255, np.uint8), 0
        for count, size in tiles:
            noise = rng.normal(0, 0.3, (size, count * size)).clip(-1, 1)
            sheet[top : top + size, : count * size] = signed_colors(noise, 1.0)
            top += size
        return sheet

    def connected(count: int) -> tuple[Connected, ...]:
        strengths = np.sort(rng.uniform(0.01, 1, count))[::-1].round(4)
        return tuple(
            Connected(int(unit), float(strength), float(strength), 0.0)
            for unit, strength in zip(rng.permutation(480)[:count], strengths, strict=True)
        )

    def weights(unit: FeatureEntry) -> Weights:
        path = f"weights/{unit.label}.webp"
        buffer = BytesIO()
        Image.fromarray(kernels()).save(buffer, "WEBP", lossless=True)
        (out / path).write_bytes(buffer.getvalue())
        factors = (Factor(tuple((place, 0.3) for place in range(5))),) * 2
        near = Connections(
            unit.feature.layer,
            "",
            1.0,
            (5, 5),
            1,
            (5, 5),
            0,
            0.3,
            connected(50),
            factors,
            5,
            0.3,
            0.5,
        )
        far = [replace(near, layer=f"layer {n}", units=near.units[:12]) for n in range(4)]
        return Weights(path, shape, (near, *far), (near,))

    (layer,) = gallery.layers
    units = tuple(
        replace(unit, evidence={"weights": (weights(unit),)}) for unit in layer.features[:480]
    )
    return replace(gallery, layers=(replace(layer, features=units, total=480),))


@pytest.mark.slow
def test_a_layer_of_480_units_with_fifty_connections_each_way_is_light(
    page: Page, thousand: Gallery, tmp_path: Path
) -> None:
    writing.write(wide(thousand, tmp_path), tmp_path)
    # The fixture has a thousand units' pictures.
    kept = [p for p in tmp_path.rglob("*") if p.is_file() and not _is_of_the_other_units(p)]
    assert sum(path.stat().st_size for path in kept) < 60e6
    loaded: set[str] = set()
    page.on("request", lambda request: loaded.add(request.url))
    page.goto((tmp_path / "layers/wide/7.html").as_uri())
    page.wait_for_load_state("networkidle")
    assert page.locator(".connections > *").count() == 50 + 4 * 12 + 50
    assert len(loaded) < 25, "kernels and thumbnails are sprites"
    assert page.evaluate("document.querySelectorAll('*').length") < 1500
    timing = "performance.getEntriesByType('navigation')[0].loadEventEnd"
    print(f"loaded after {page.evaluate(timing):.0f} ms")


def _is_of_the_other_units(path: Path) -> bool:
    found = re.fullmatch(r"wide-(\d+)-.*", path.name)
    return found is not None and int(found[1]) >= 480
