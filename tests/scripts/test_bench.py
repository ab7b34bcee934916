"""One table of all benchmarks: failures and missing peers are listed, and the others run."""

import json
import sys
from pathlib import Path

import pytest

import bench

WORKS = """
import json, sys
rows = [{"layer": "mixed3b", "how": "both", "ms": 1234.5, "ratio": None}]
open(sys.argv[sys.argv.index("--json") + 1], "w").write(json.dumps({"rows": rows}))
"""
SCRIPTS = {
    "bench_a": "print('some'); raise ValueError('a | b')",
    "bench_b": "import no_such_peer",
    "bench_c": WORKS,
    "bench_d": "",
}


@pytest.fixture
def scripts(tmp_path: Path) -> list[Path]:
    for name, text in SCRIPTS.items():
        (tmp_path / f"{name}.py").write_text(text)
    return sorted(tmp_path.glob("bench_*.py"))


def test_every_benchmark_is_in_the_table(
    scripts: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    records = bench.run([*scripts, Path("bench_examples.py")], out)
    assert "[2/5] bench_b … 0 s, skipped: no_such_peer is not installed" in capsys.readouterr().out
    bench.write(out, {"processor": "a chip", "instructions": ""}, records)
    assert (out / "bench.md").read_text("utf-8").splitlines() == [
        "# Benchmarks",
        "",
        "- processor: a chip",
        "- instructions: none known",
        "",
        "| benchmark | what | measured | value |",
        "| --- | --- | --- | --: |",
        "| bench_a | failed | ValueError: a / b |  |",
        "| bench_b | skipped | no_such_peer is not installed |  |",
        "| bench_c | mixed3b, both | ms | 1,234.5 |",
        "| bench_d | failed | exit code 0 |  |",
        "| bench_examples | skipped | it needs photographs |  |",
    ]
    kept = json.loads((out / "bench.json").read_text("utf-8"))
    assert [record["benchmark"] for record in kept["benchmarks"]] == [*SCRIPTS, "bench_examples"]
    assert "some" in (out / "bench_a.log").read_text("utf-8")


@pytest.mark.parametrize(("name", "code"), [("bench_a", 1), ("bench_b", 0), ("bench_c", 0)])
def test_the_exit_code_names_a_failure(
    scripts: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    monkeypatch.setattr(bench, "HERE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["bench.py", name, "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        bench.main()
    assert ended.value.code == code


def test_every_benchmark_has_a_short_setting() -> None:
    assert {*bench.SHORT} == {path.stem for path in bench.HERE.glob("bench_*.py")}
    assert {*bench.NEED_PHOTOGRAPHS} <= {*bench.SHORT}


def test_the_machine_is_described() -> None:
    found = bench.machine()
    assert found["cores"] >= 1
    assert all(found[name] for name in ("processor", "torch", "threads", "date"))
