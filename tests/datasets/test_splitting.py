"""Photographs are held out by their names, whatever else is there."""

import hashlib

import pytest
import torch

from visioncircuits.datasets import photographs, split_by_name
from visioncircuits.errors import InputError


def test_a_photograph_stays_on_its_side_when_others_come_and_go() -> None:
    every = photographs(torch.rand(60, 3, 8, 8), labels=range(60))
    training, held_out = split_by_name(every, share=0.3, seed=2)
    assert sorted([*training.names, *held_out.names], key=int) == list(every.names)
    assert [int(name) for name in held_out.names] == list(held_out.labels)
    fewer = every.part(range(59, 0, -2))
    assert set(split_by_name(fewer, share=0.3, seed=2)[1].names) == {
        name for name in held_out.names if int(name) % 2
    }
    assert set(split_by_name(every, share=0.3, seed=3)[1].names) != set(held_out.names)


def test_the_share_is_that_of_a_digest_of_seed_and_name() -> None:
    every = photographs(torch.rand(40, 3, 8, 8))
    _, held_out = split_by_name(every, share=0.25)
    expected = [n for n in every.names if hashlib.sha256(f"0 {n}".encode()).digest()[0] < 64]
    assert list(held_out.names) == expected


@pytest.mark.parametrize(("share", "message"), [(0, "share must be"), (1e-9, "one part empty")])
def test_a_part_without_photographs_is_refused(share: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        split_by_name(photographs(torch.rand(3, 3, 8, 8)), share=share)
