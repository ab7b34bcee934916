import json

import pytest
import torch

from visioncircuits.circuits import Circuit, candidates_of
from visioncircuits.errors import InputError
from visioncircuits.networks import Direction

PLACES = ("conv2d2", "mixed3a", "mixed3b")
EDGES = [("conv2d2:5", "mixed3a:7"), ("conv2d2:6", "mixed3a:8"), ("mixed3a:7", "mixed3b:9")]


def test_a_file_gives_the_circuit_back_directions_and_record_included(tmp_path):
    atom = Direction("mixed3a", torch.linspace(-1, 1, 256), name="atom 3")
    edges = [("conv2d2:5", "mixed3a:atom 3"), ("mixed3a:rest", "mixed3b:9")]
    made = Circuit("mixed3b:9", PLACES, edges, [atom], {"method": "by hand"})
    again = Circuit.load(made.save(tmp_path / "circuit.json"))
    assert again == made
    assert again.record == {"method": "by hand"}
    assert again.nodes["mixed3a"] == ("mixed3a:atom 3", "mixed3a:rest")


def test_a_file_by_hand_needs_a_target_places_and_edges_only(tmp_path):
    path = tmp_path / "hand.json"
    path.write_text(json.dumps({"target": "mixed3b:9", "places": PLACES, "edges": EDGES}))
    assert repr(Circuit.load(path)) == (
        "Circuit(mixed3b:9: 2 of conv2d2 → 2 of mixed3a → 1 of mixed3b, 3 edges)"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "holds no circuit"),
        ("[1]", "holds no circuit"),
        ('{"target": "mixed3b:9", "places": ["mixed3a"]}', "holds no circuit"),
        ('{"target": "b:9", "places": ["a", "b"], "edges": [["a:1"]]}', "holds no circuit"),
        ('{"target": "b:9", "places": ["a", "b"], "edges": [["b:9", "a:1"]]}', "no later place"),
        ('{"target": "b:9", "places": ["a", "b"], "edges": [["c:9", "b:9"]]}', "at none of"),
        ('{"target": "b:9", "places": ["a", "c"], "edges": []}', "the last is that of"),
    ],
)
def test_a_file_without_a_circuit_is_one_sentence(tmp_path, content, reason):
    path = tmp_path / "circuit.json"
    path.write_text(content)
    with pytest.raises(InputError, match=reason) as raised:
        Circuit.load(path)
    assert "\n" not in str(raised.value)


def test_a_missing_file_and_an_edge_twice_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        Circuit.load(tmp_path / "none.json")
    with pytest.raises(InputError, match="twice"):
        Circuit("mixed3b:9", PLACES, [*EDGES, EDGES[0]])


def test_edges_without_a_path_to_the_target_are_pruned():
    assert Circuit("mixed3b:9", PLACES, EDGES).pruned().edges == (EDGES[0], EDGES[2])


def test_features_that_the_network_does_not_have_are_refused(network):
    circuit = Circuit("4:0", ("1", "3", "4"), [("1:5", "3:7"), ("3:7", "4:0")])
    with pytest.raises(InputError, match="unknown feature '3:7'"):
        candidates_of(network, circuit).choice(circuit.edges)
