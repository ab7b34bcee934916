"""A key is found on its line in every way in which TOML lets it be written."""

import pytest

from visioncircuits.gallery.lines import line_of

TEXT = """\
# a recipe
title = "one # two [three]"
description = '''
units = "not a key"
'''

quality.steps = 3

[show]
positive = true
"negative"=false

[[layers]]
name = "mixed3a"
units = [
    1,
    2,
]
families = { curves = [1], lines = [2] }

[[layers]]
name = "mixed3b"

[layers.families]
curves = [
  379,
]
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (["title"], 2),
        (["description"], 3),
        (["quality", "steps"], 7),
        (["show"], 9),
        (["show", "positive"], 10),
        (["show", "negative"], 11),
        (["layers", 0], 13),
        (["layers", 0, "name"], 14),
        (["layers", 0, "units"], 15),
        (["layers", 0, "units", 1], 15),
        (["layers", 0, "families", "lines"], 19),
        (["layers", 1], 21),
        (["layers", 1, "name"], 22),
        (["layers", 1, "families", "curves"], 25),
        (["layers", 1, "families", "nothing"], 24),
        (["layers", 1, "units"], 21),
        (["nowhere"], 1),
        ([], 1),
    ],
)
def test_a_key_is_found_on_the_line_where_its_statement_begins(
    path: list[str | int], line: int
) -> None:
    assert line_of(TEXT, path) == line
