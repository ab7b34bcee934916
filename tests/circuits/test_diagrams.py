from xml.etree import ElementTree

import pytest
import torch

from visioncircuits.circuits import Circuit, diagram, discover, greedy, score, shown
from visioncircuits.errors import InputError
from visioncircuits.networks import Direction

PLACES = ("1", "3", "4")


def test_a_diagram_has_the_edges_and_features_of_the_circuit(network, study):
    circuit = greedy(score(study), 9)
    found = shown(network, circuit)
    drawn = {
        (str(level.weights.inputs[into]), str(level.weights.outputs[out]))
        for level in found.levels
        for out, into in level.drawn.nonzero().tolist()
    }
    assert drawn == {*circuit.edges}
    titles = {
        title.text
        for title in ElementTree.fromstring(diagram(network, circuit)).iter(
            "{http://www.w3.org/2000/svg}title"
        )
    }
    assert {str(feature) for feature in found.features} <= titles


def test_the_share_drawn_is_of_all_weight_from_the_layer_before(layers, network):
    found = shown(network, Circuit("4:0", PLACES, [("3:1", "4:0"), ("3:4", "4:0")]))
    squares = layers[4].weight[0].detach().square().sum((1, 2))
    expected = squares[[1, 4]].sum() / squares.sum()
    assert float(found.levels[-1].share.sum()) == pytest.approx(float(expected), rel=1e-5)


def test_directions_have_kernels_and_rests_have_none(network):
    atom = Direction("3", torch.tensor([1.0, 0.5, 0, 0, -1]), name="atom 0")
    edges = [("3:atom 0", "4:0"), ("3:rest", "4:0"), ("1:2", "3:atom 0")]
    found = shown(network, Circuit("4:0", PLACES, edges, [atom]))
    assert [[str(each) for each in column] for column in found.columns] == [
        *(["1:2"], ["3:atom 0"], ["4:0"])
    ]
    with pytest.raises(InputError, match="no edge of the circuit leads to 4:0"):
        shown(network, Circuit("4:0", PLACES, [("3:rest", "4:0")]))


def test_results_show_themselves(network, pictures, study):
    assert "<td>3:" in score(study)._repr_html_()
    found = discover(network, "4:0", ["1", "3"], pictures, edges=5, draws=1)
    assert found._repr_png_().startswith(b"\x89PNG")
