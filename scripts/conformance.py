"""What works on which network?

Takes networks with random parameters through everything: lists layers, renders, tunes, finds,
expands weights between neighboring convolutions, ablates, attributes, and builds a gallery of four
units. Prints a table with a row a network; where something stops, the cell has the reason.
"""

import argparse
import json
import multiprocessing
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor, nn

import results
from visioncircuits import attribution, featurevis, gallery, hypotheses, networks, tuning
from visioncircuits.errors import InputError
from visioncircuits.interventions import edited, zero
from visioncircuits.networks import Layer, Network
from visioncircuits.networks import torchvision_models as torchvision
from visioncircuits.stimuli import StimulusSet, line
from visioncircuits.weights import expanded_weights

TIMM = (
    "convnext_atto", "convnextv2_atto", "cspresnet50", "densenet121", "dla34", "eca_resnet33ts",
    "efficientnet_b0", "fastvit_t8", "ghostnet_100", "hrnet_w18_small", "inception_v4",
    "mobilenetv3_small_100", "mobileone_s0", "nf_resnet26", "dm_nfnet_f0", "regnety_002",
    "repvgg_a0", "res2net50_14w_8s", "resnet26d", "resnetv2_50", "resnext26ts", "rexnet_100",
    "seresnet50", "tf_efficientnet_b0", "vgg11_bn", "xception41",
)  # fmt: skip
"""Of its families of convolutional networks, one each, a small one where there is."""

SIDE = 96
"""Of the pictures in pixels; networks that take no other size have their own."""

SEEN = 64
"""Pixels: the largest receptive field that is studied, since stimuli are as large."""


@dataclass(frozen=True)
class Trial:
    """A network, two neighboring convolutions in the middle of it, and four units."""

    network: Network
    side: int

    @cached_property
    def layers(self) -> Mapping[str, Layer]:
        """Those that give maps, on pictures of this side."""
        return self.network.layers_at((self.side, self.side))

    @cached_property
    def convolutions(self) -> list[str]:
        """The names of convolutions of maps, in the order in which they are computed."""
        modules = dict(self.network.module.named_modules())
        return [
            name
            for name, layer in self.layers.items()
            if isinstance(modules.get(name), nn.Conv2d) and layer.stride != (0, 0)
        ]

    @property
    def target(self) -> str:
        """The convolution that is studied: the last, after two others, that sees at most `SEEN`."""
        small = [
            name for name in self.convolutions[2:] if max(self.layers[name].receptive_field) <= SEEN
        ]
        return small[-1] if small else self.convolutions[:3][-1]

    @property
    def units(self) -> list[str]:
        """Four units of it."""
        count = self.layers[self.target].units
        return [f"{self.target}:{unit}" for unit in sorted({0, 1, count // 2, count - 1})]

    @property
    def unit(self) -> str:
        """The one of them that two pictures of noise activate most differently: it is not dead."""
        values = self.network.activations(self.pictures, [self.target])[self.target]
        differ = (values[0] - values[1]).flatten(1).abs().mean(1)
        return max(self.units, key=lambda unit: float(differ[int(unit.rpartition(":")[2])]))

    @cached_property
    def pictures(self) -> Tensor:
        """Two of noise."""
        return torch.rand(2, 3, self.side, self.side, generator=torch.manual_seed(0))


def list_layers(trial: Trial) -> None:
    """List layers, with receptive fields, and give the activations of all."""
    assert trial.convolutions
    found = trial.network.activations(trial.pictures, [*trial.layers])
    for name, layer in trial.layers.items():
        assert found[name].shape[1] == layer.units
        assert found[name].isfinite().all()


def render(trial: Trial) -> None:
    """Render a unit: its activation rises."""
    settings = featurevis.Settings(size=trial.side, steps=8, transforms=featurevis.NO_TRANSFORMS)
    found = featurevis.render(trial.network, trial.unit, settings=settings)
    assert found.history[-1] > found.history[0]


def tune(trial: Trial) -> None:
    """Measure tuning to the orientation of lines."""
    shown = StimulusSet(line, {"orientation": range(0, 180, 45)}, {"width": 3.0})
    found = tuning.measure(trial.network, trial.units, shown)
    assert found.std("orientation").max() > 0


def find(trial: Trial) -> None:
    """Judge whether units are curve detectors."""
    hypotheses.find(trial.network, trial.units[:1], "curve")


def expand(trial: Trial) -> None:
    """Expand weights from the convolution before to the target."""
    place = trial.convolutions.index(trial.target)
    before = [
        name for name in trial.convolutions[:place] if trial.network.depends(trial.target, name)
    ]
    if not before:
        raise InputError("no convolution comes before it")
    found = expanded_weights(trial.network, before[-1], trial.units)
    assert found.weight.abs().max() > 0


def ablate(trial: Trial) -> None:
    """Set units to zero: what is computed from them changes, and nothing else."""
    with torch.inference_mode():
        before = trial.network.activations(trial.pictures, [*trial.layers])
        with edited(trial.network, trial.units, zero()):
            after = trial.network.activations(trial.pictures, [*trial.layers])
    changed = [name for name in trial.layers if not before[name].equal(after[name])]
    may = {name for name in trial.layers if trial.network.depends(name, trial.target)}
    may |= {name for name in trial.layers if before[name].equal(before[trial.target])}  # its names
    assert {trial.target} < {*changed} <= may


def attribute(trial: Trial) -> None:
    """Attribute a class to pixels and to the convolution."""
    for to in ("input", trial.target):
        found = attribution.gradient_times_activation(
            trial.network, "logits:0", trial.pictures[:1], to=to
        )
        assert found.values.abs().max() > 0


def show(trial: Trial) -> None:
    """Build a gallery of the units."""
    numbers = ", ".join(unit.rpartition(":")[2] for unit in trial.units)
    with tempfile.TemporaryDirectory() as folder:
        recipe = Path(folder) / "four.toml"
        recipe.write_text(
            'title = "Four units"\n'
            f"[quality]\nsize = {max(trial.side, 16)}\nsteps = 4\n"
            "[weights]\nconnections = 4\nlayers = 1\nfactors = 0\n"
            f'[[layers]]\nname = "{trial.target}"\nunits = "{numbers}"\n'
        )
        site = gallery.build(recipe, Path(folder) / "site", network=trial.network, workers=1)
        assert "Four units" in site.read_text()


STEPS: dict[str, Callable[[Trial], None]] = {
    "layers": list_layers,
    "render": render,
    "tune": tune,
    "find": find,
    "expanded weights": expand,
    "ablate": ablate,
    "attribute": attribute,
    "gallery": show,
}


def main() -> None:
    """Try the networks that are named, in addition to the file's rows of others, or all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("networks", nargs="*", help="names such as torchvision:resnet18")
    results.option(parser)
    options = parser.parse_args()
    names = options.networks or every()
    rows = {}
    if options.networks and options.json and options.json.is_file():
        rows = {each["network"]: each for each in json.loads(options.json.read_text())["rows"]}
    context = multiprocessing.get_context("spawn")
    with context.Pool(initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for found in pool.imap(row, names):
            rows[found["network"]] = found
            print(*found.values(), flush=True)
            results.write(options.json, [*rows.values()])  # after each: all take an hour
    print(pd.DataFrame([*rows.values()]).to_string(index=False))


def every() -> list[str]:
    """List torchvision's classifiers, and timm's families."""
    return [
        *(f"torchvision:{name}" for name in torchvision.names()),
        *(f"timm:{name}" for name in TIMM),
    ]


def row(name: str) -> dict[str, results.Cell]:
    """Take a network through all steps."""
    network = networks.untrained(name)
    _open(network.module)
    trial = Trial(network, side(network))
    found, reasons = {}, {}
    for step, run in STEPS.items():
        try:
            run(trial)
            found[step] = "✓"
        except InputError as refusal:
            found[step], reasons[step] = "✗", str(refusal)
        except Exception as error:  # what must not happen, and is shown where it does
            found[step], reasons[step] = "✗", f"{type(error).__name__}: {error}"
    parameters = sum(each.numel() for each in network.module.parameters())
    stopped = "; ".join(
        f"{', '.join(step for step in reasons if reasons[step] == reason)}: {reason}"
        for reason in dict.fromkeys(reasons.values())
    )
    return {
        "network": f"`{name}`",
        "parameters, millions": round(parameters / 1e6, 1),
        **found,
        "what stops it": stopped,
    }


@torch.no_grad()
def _open(module: nn.Module) -> None:
    """Draw what begins at zero, or nearly, as gains of residual branches: nothing passes them."""
    draws = torch.Generator().manual_seed(0)
    for parameter in module.parameters():
        if parameter.abs().max() < 1e-3:
            parameter.normal_(0, 0.1, generator=draws)


def side(network: Network) -> int:
    """Return the side of pictures: `SIDE` where the network has its usual layers there."""
    try:
        usual = network.layers_at(SIDE).keys() <= network.layers.keys()
    except InputError:
        usual = False
    return SIDE if usual else network.size


if __name__ == "__main__":
    main()
