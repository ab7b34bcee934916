"""A second GoogLeNet, trained on ImageNet by others, without local response normalization.

Its file, `googlenet_no_lrn_partial.safetensors` in the folder of checkpoints, has Caffe's names and
is complete up to inception_4c (`mixed4c`), where the network ends here. Name it
`galleries/googlenet_no_lrn.py:build` wherever a network is named.
"""

from pathlib import Path

from torch import nn

import visioncircuits
from visioncircuits.environment import variable
from visioncircuits.networks import LayerGraph, Network, Step
from visioncircuits.networks.checkpoints import FOLDER
from visioncircuits.networks.conversion import CAFFE, OURS
from visioncircuits.networks.formats import read_tensors
from visioncircuits.networks.inceptionv1 import VARIANTS, inceptionv1

FILE, LAST = "googlenet_no_lrn_partial.safetensors", "mixed4c"


def build() -> Network:
    """Return the network up to its last complete layer.

    Raises
    ------
    InputError
        Where no folder of checkpoints is named, or the file is not in it.
    """
    folder = variable(FOLDER)
    if folder is None:
        raise visioncircuits.InputError(f"set {FOLDER} to the folder that holds {FILE}")
    whole = inceptionv1(VARIANTS["bvlc_googlenet"])
    names = list(whole.sources)
    nodes = {
        name: Step(
            nn.Identity() if name.startswith("localresponsenorm") else whole.operation(name),
            whole.sources[name],
        )
        for name in names[: names.index(LAST) + 1]
    }
    module = LayerGraph(nodes, output=LAST)
    ours = dict(zip(CAFFE.parameters(), OURS.parameters(), strict=True))
    tensors = {ours[name]: each for name, each in read_tensors(Path(folder) / FILE).items()}
    module.load_state_dict({name: tensors[name] for name in module.state_dict()})
    preprocessing = visioncircuits.Preprocessing(range=(0, 255), mean=(104, 117, 123), order="BGR")
    network: Network = visioncircuits.wrap(module, preprocessing, name="googlenet_no_lrn", size=224)
    return network
