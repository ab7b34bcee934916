"""Time the training of a sparse autoencoder: ours, and overcomplete's loop beside it.

Both train a TopK autoencoder on the same activations, in the same number of steps of Adam with
batches of the same size, in one process, and take turns. Overcomplete's own defaults are kept (an
encoder with batch normalization, clipped gradients), without its monitoring. Ours includes what it
does besides: held-out losses, and the loss of dead atoms. Prints JSON: milliseconds a step of each
(the median of the rounds; on a CPU, of processor time), their ratio, and the share of the held-out
variance that each explains.

Overcomplete is not a dependency: pip install --no-deps overcomplete einops opencv-python-headless.
Without it the script times ours alone.
"""

import argparse
import importlib.util
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import matplotlib.cm
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

import results
from visioncircuits.dictionaries import Settings, TopK, train

HELD_OUT = 256
"""Few, as ours measures their loss every few steps of so short a training."""


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--units", type=int, default=480, help="mixed3b has 480")
    parser.add_argument("--atoms", type=int, default=2048)
    parser.add_argument("--k", type=int, default=32)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    results.option(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    values, held_out = planted(options).split([options.steps * options.batch, HELD_OUT])
    peer = importlib.util.find_spec("overcomplete") is not None
    runs = {"ours": ours, **({"overcomplete": theirs} if peer else {})}
    # processor time, to which other work on the machine adds little
    clock = time.process_time if options.device == "cpu" else time.perf_counter
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    decoded: dict[str, Callable[[], Tensor]] = {}
    for _ in range(options.rounds):
        for name, run in runs.items():
            start = clock()
            decoded[name] = run(values, held_out, options)
            seconds[name].append(clock() - start)
    report: dict[str, Any] = {"torch": torch.__version__, **vars(options) | {"json": None}}
    for name in runs:
        report[name] = {
            "step_ms": 1000 * statistics.median(seconds[name]) / options.steps,
            "explained_variance": explained(held_out, decoded[name]()),
        }
    if peer:
        report["ratio"] = report["overcomplete"]["step_ms"] / report["ours"]["step_ms"]
    else:
        report["overcomplete"] = "not installed: see this script's docstring"
    print(json.dumps(report, indent=1))
    results.write(options.json, rows(report), device=options.device)


def rows(report: dict[str, Any]) -> list[dict[str, results.Cell]]:
    """Give the row of the page's table."""
    peer = report["overcomplete"] if isinstance(report["overcomplete"], dict) else None
    return [
        {
            "atoms × units": f"{report['atoms']} × {report['units']}",
            "batch": report["batch"],
            "ours, ms a step": round(report["ours"]["step_ms"], 1),
            "overcomplete, ms a step": round(peer["step_ms"], 1) if peer else None,
            "overcomplete over ours": round(report["ratio"], 2) if peer else None,
        }
    ]


def planted(options: argparse.Namespace) -> Tensor:
    """Draw non-negative sums of planted directions, as sparse as the autoencoder's codes."""
    generator = torch.Generator().manual_seed(0)
    samples = options.steps * options.batch + HELD_OUT
    atoms = torch.randn(options.atoms, options.units, generator=generator)
    places = torch.randint(options.atoms, (samples, options.k), generator=generator)
    codes = torch.rand(samples, options.k, generator=generator)
    return torch.nn.functional.embedding_bag(places, atoms, mode="sum", per_sample_weights=codes)


def ours(values: Tensor, held_out: Tensor, options: argparse.Namespace) -> Callable[[], Tensor]:
    """Train ours; return what decodes the held-out activations."""
    settings = Settings(steps=options.steps, batch=options.batch, rate=1e-3)
    found = train(
        values,
        "mixed3b",
        TopK(options.k),
        atoms=options.atoms,
        settings=settings,
        held_out=held_out,
        device=options.device,
    )
    return lambda: found.decode(found.encode(held_out))


def theirs(values: Tensor, held_out: Tensor, options: argparse.Namespace) -> Callable[[], Tensor]:
    """Train overcomplete's, as its documentation does."""
    # its plots, which it imports, need what matplotlib 3.9 removed
    vars(matplotlib.cm).setdefault("get_cmap", matplotlib.colormaps.get_cmap)
    from overcomplete.sae import TopKSAE, train_sae

    torch.manual_seed(0)
    model = TopKSAE(options.units, options.atoms, top_k=options.k, device=options.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(values), batch_size=options.batch, shuffle=True)
    train_sae(
        model,
        loader,
        lambda x, x_hat, pre_codes, codes, dictionary: (x - x_hat).square().mean(),
        optimizer,
        nb_epochs=1,
        monitoring=0,
        device=options.device,
    )

    def decoded() -> Tensor:
        model.eval()
        with torch.no_grad():
            return model(held_out.to(options.device))[2].cpu()

    return decoded


def explained(values: Tensor, decoded: Tensor) -> float:
    """Compute ``1 − Σ‖x − x̂‖² / Σ‖x − mean‖²``."""
    error = (values - decoded).square().sum()
    return round(float(1 - error / (values - values.mean(0)).square().sum()), 4)


if __name__ == "__main__":
    main()
