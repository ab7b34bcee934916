"""What a changed behavior loses, and what it would lose if nothing were kept."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from visioncircuits.errors import InputError
from visioncircuits.scrubbing.hypothesis import Measure

Values = Float[Tensor, "pictures values"]


class Loss:
    """The loss of a behavior that is not the original one.

    Attributes
    ----------
    original, random
        The mean over pictures of the behavior as it is, and of that on any other picture, exactly.

    Parameters
    ----------
    measure
        Which loss.
    behavior
        The original values on all pictures.
    classes
        Of the pictures, for the cross-entropy.

    Raises
    ------
    InputError
        Where there are no classes, or the behavior is the same on all pictures.

    Examples
    --------
    >>> import torch
    >>> loss = Loss("squared error", torch.tensor([[0.0], [2.0]]))
    >>> loss.original, loss.random, loss.shares(torch.tensor([[[1.0], [2.0]]])).tolist()
    (0.0, 2.0, [[0.5, 1.0]])
    """

    def __init__(self, measure: Measure, behavior: Values, classes: Tensor | None = None) -> None:
        behavior = behavior.double()
        if measure == "cross-entropy" and classes is None:
            raise InputError(
                "a cross-entropy needs the pictures' classes; choose the measure 'divergence'"
            )
        self.measure: Measure = measure
        if measure == "squared error":
            self._wanted = behavior
            self.original = 0.0
            self.random = 2 * float(behavior.var(0, correction=0).sum())
        else:
            logs = behavior.log_softmax(1)
            own = classes is not None and measure == "cross-entropy"
            self._wanted = (
                functional.one_hot(classes.long(), behavior.shape[1]).double()
                if own and classes is not None
                else logs.exp()
            )
            self._entropy = 0.0 if own else float((logs.exp() * logs).sum(1).mean())
            self.original = self._entropy - float((self._wanted * logs).sum(1).mean())
            self.random = self._entropy - float((self._wanted * logs.mean(0)).sum(1).mean())
        if self.random - self.original <= 1e-12 * max(abs(self.original), 1e-12):
            raise InputError(
                "the behavior is no better on its own pictures than on any: there is nothing to "
                "explain; show pictures on which it varies"
            )

    def shares(
        self, changed: Float[Tensor, "draws pictures values"]
    ) -> Float[Tensor, "draws pictures"]:
        """Return what is kept by picture: on average 1 where nothing changes, and 0 at random."""
        if self.measure == "squared error":
            lost = (changed.double() - self._wanted).square().sum(2)
        else:
            logs = changed.double().log_softmax(2)
            lost = self._entropy - (self._wanted * logs).sum(2)
        return (self.random - lost) / (self.random - self.original)
