from visioncircuits.thread.articles.zoom_in.other_networks import Shared


def shared(partners: int, low: float) -> Shared:
    return Shared("squeezenet1_1", partners, 17, 0.4, "Gabor energies", (0.3, low, 0.4))


def test_a_family_counts_beyond_chance_and_beyond_the_strictest_null() -> None:
    assert shared(5, 0.2).counts
    assert not shared(5, -0.1).counts
    assert not shared(0, 0.2).counts


def test_a_family_is_described_with_its_strictest_null() -> None:
    assert str(shared(5, 0.2)) == (
        "squeezenet1_1: 5 of 17 have a partner of the family (chance 0.4), "
        "+0.30 beyond Gabor energies (+0.20 to +0.40)"
    )
    assert str(shared(0, 0.0)) == "squeezenet1_1: 0 of 17 have a partner of the family"
