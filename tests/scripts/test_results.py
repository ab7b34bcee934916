"""Scripts write the result files that pages are made of, with the columns that these have."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import figures
import results
from visioncircuits.comparison.controls import BESIDE
from visioncircuits.interventions.repairs import BASELINES
from visioncircuits.networks import Verification
from visioncircuits.networks.checks import Check

RENDER = {
    "beside": "lucent",
    "side": {"224 px for both": 224},
    "ms_per_image_step": {"224 px for both": {"theirs": 174.91, "ours": 34.52, "bare": 21.8}},
    "megabytes_per_image": {"224 px for both": {"theirs": 120.4, "ours": 40.2}},
}
EXPANDED = {
    "shape": [480, 256, 5, 5],
    "kernels_s": 0.0412,
    "autograd_loop_s": 4.7,
    "ratio": 113.2,
    "peak_memory_so_far_gib": 1.352,
}
UNITS = {
    "units": 48,
    "above every photograph": 48,
    "ratio to the best photograph": 3.93,
    "ratio to lucent's mean": 1.42,
    "no lower than lucent": 47,
}
REPAIRED = {
    donor: {measure: [0.47, -0.86, 1.19] for measure in ("cross_entropy", "divergence")}
    for donor in ("handwritten", *BESIDE, *BASELINES)
}
MEASURED = [
    ("examples", "bench_examples", {"torch": "2.14", "bvlc_googlenet": {
        "layers": ["mixed3a", "mixed3b"],
        **{clock: {"ratio": 0.804} for clock in ("by the clock", "by processor time")},
     }}, ["bvlc_googlenet", "mixed3a, mixed3b", "by the clock", 0.8]),
    ("hypotheses", "bench_hypotheses", {
        "layer": "mixed3b", "units": 480, "hypotheses": 6, "one_after_another_s": 31.7,
        "together_s": 21.4, "ratio": 1.48,
     }, ["6 over the 480 units of mixed3b", 31.7, 21.4, 1.48]),
    ("expanded", "bench_expanded", {"target": "mixed3b", "mixed3a": EXPANDED},
     ["mixed3a", "mixed3b", "480 × 256", 0.04, "113 times as long", 1.35]),
    ("precision", "bench_precision", {"torch": "2.14", "top": 8, "bfloat16": {
        "time": 0.713, "rendering_time": 0.805, "rendering_reaches": 0.987,
        "mixed3a": {"relative_error": 0.004, "tops_shared": 0.991},
        "mixed3b": {"relative_error": 0.005, "tops_shared": 0.996},
     }}, ["bfloat16", "0.5 %", "99 %", 0.71, 0.81, 0.99]),
    ("rendering", "bench_render", {"torch": "2.14", "mixed3b": RENDER},
     ["lucent", "mixed3b", "224 px for both", 174.9, 34.5, 5.1, "63 %", 120, 40]),
    ("gallery", "bench_gallery", {
        "network": "a stub network", "units": 2048, "build_s": 89.2, "resume_s": 11.2,
        "parts_s": {"weights": 40.1},
        "kilobytes_a_unit": {"page": 20.24}, "layer_page_kilobytes": 737.3,
     }, ["2,048 units of a stub network", "building, processor seconds", 89]),
    ("joining", "bench_joining", {
        "shards": 128, "units": 10_000, "workers": 2, **{way: {
            "seconds": 301.4, "processor_s": 250.2, "driver_gb": 3.456, "worker_gb": 0.0,
        } for way in ("by one process", "in a tree")},
     }, ["128 parts of 10,000 units", "by one process", 301, 250, 3.46, 0.0]),
    ("stimuli", "bench_stimuli", {
        "size": 224, "ours_ms": 0.513, "sampled_twin_ms": 24.1, "ratio": 46.9,
     }, ["a curve of 224 px", 0.51, 24.1, 47]),
    ("tuning", "bench_tuning", {"mixed3b": {"ratio": 1.034}, "mixed3a": {"ratio": 1.1}},
     ["mixed3b", "curves", 1.03]),
    ("one-unit", "bench_units", {"torch": "2.14", "torchvision:resnet50": {
        "layer": "layer2", "whole": 127.1, "unit": 74.9, "ratio": 1.697,
     }}, ["torchvision:resnet50", "layer2", 127.1, 74.9, 1.7]),
    ("featurevis", "evidence_featurevis", UNITS,
     ["units activated more by their rendered picture than by any photograph", "48 of 48"]),
    ("caffe", "evidence_caffe", Verification("bvlc_googlenet", "Caffe", (
        Check("conv2d0", error=4.28e-7, allowed=1e-4),)), ["conv2d0", 4.3e-7]),
    ("transplants", "evidence_transplants", {
        "strictest": "resample",
        "repair_over": dict.fromkeys(BASELINES, REPAIRED),
        "selectivity": {"handwritten": {"surface": 0.814, "echo": 0.0, "lines": 0.019}},
     }, ["handwritten", *["47 % (−86 to 119)"] * 2, *["47 %"] * 4, 0.81, 0.0, 0.02]),
]  # fmt: skip
"""Name of a result file, its script, what that measured, and the first row it makes of it."""


PEERS = {"bench_render": ["dreamlens", "lucent"], "evidence_featurevis": ["lucent"]}


@pytest.mark.parametrize(
    ("name", "script", "report", "first"),
    [
        pytest.param(*case, marks=[pytest.mark.slow] * (case[1] in PEERS), id=case[0])
        for case in MEASURED
    ],
)
def test_a_script_makes_the_rows_of_its_file(
    name: str, script: str, report: Any, first: list[results.Cell]
) -> None:
    for peer in PEERS.get(script, ()):
        pytest.importorskip(peer)
    rows = importlib.import_module(script).rows(report)
    assert list(rows[0].values()) == first
    kept = json.loads((figures.RESULTS / f"{name}.json").read_text("utf-8"))
    assert kept["script"] == f"scripts/{script}.py"
    assert [*rows[0]] == [*kept["rows"][0]]


def run(script: str, monkeypatch: pytest.MonkeyPatch, *options: str) -> None:
    """Run a script as its command line does."""
    monkeypatch.setattr(sys, "argv", [f"/somewhere/scripts/{script}.py", *options])
    importlib.import_module(script).main()


def test_what_a_script_measures_becomes_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = str(torch.get_num_threads())
    tiny = ("--size", "24", "--curves", "2", "--rounds", "1", "--threads", threads)
    path = tmp_path / "stimuli.json"
    run("bench_stimuli", monkeypatch, *tiny, "--json", str(path))
    record = json.loads(path.read_text("utf-8"))
    assert record["machine"].endswith(f"torch {torch.__version__}")
    assert (
        record["command"] == f"python scripts/bench_stimuli.py {' '.join(tiny)} --json stimuli.json"
    )
    assert record["rows"][0]["ms"] >= 0
    assert "| a curve of 24 px |" in figures.result("stimuli", folder=tmp_path)


def test_what_a_device_does_in_each_precision_becomes_rows() -> None:
    read = {"per_second": 1234.5, "gigabytes": None}
    made = {"per_second": 31.42, "gigabytes": 3.1}
    report = {"torch": "2.14", "steps": 16, "float16": {"visualizations": made, "stimuli": read}}
    first, second = importlib.import_module("bench_device").rows(report)
    assert list(first.values()) == ["visualizations of 16 steps", "float16", 31.4, 3.1]
    assert list(second.values()) == ["stimuli", "float16", 1230, None]


@pytest.mark.slow
def test_a_device_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = ("--pictures", "1", "--steps", "1", "--stimuli", "2", "--photographs", "2")
    path, layer = tmp_path / "device.json", ("--layer", "conv2d0", "--rounds", "1")
    run("bench_device", monkeypatch, *few, *layer, "--json", str(path))
    rows = json.loads(path.read_text("utf-8"))["rows"]
    assert [row["precision"] for row in rows] == ["float32"] * 3
    assert all(row["pictures a second"] > 0 for row in rows)


def test_costs_on_paper_are_what_their_script_works_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("cost", monkeypatch, "--json", str(tmp_path / "cost.json"))
    found, kept = (
        json.loads((folder / "cost.json").read_text("utf-8"))["rows"]
        for folder in (tmp_path, figures.RESULTS)
    )
    assert found == kept
    gallery = found[0]  # 5,804 units, two pictures, 512 steps of 21 ms, 200 cores a GPU
    assert gallery["1 GPU"] == float(f"{5804 * 2 * 512 * 0.021 / 200 / 3600:.3g}")


def test_another_suffix_ends_a_script_before_it_measures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run("cost", monkeypatch, "--json", "cost.csv")
    assert "cost.csv cannot be written: name it .json" in capsys.readouterr().err


def test_without_a_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run("cost", monkeypatch)
    assert list(tmp_path.iterdir()) == []
