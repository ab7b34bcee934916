"""Features as they are written on the command line."""


def features(text: str) -> str | list[str]:
    """Read a layer, or some of its units.

    Examples
    --------
    >>> features("mixed3b:413,408"), features("mixed3b")
    (['mixed3b:413', 'mixed3b:408'], 'mixed3b')
    """
    layer, colon, units = text.rpartition(":")
    return [f"{layer}:{unit.strip()}" for unit in units.split(",")] if colon else text
