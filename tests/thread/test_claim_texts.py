"""Every claim of every article reads as a sentence on its own."""

import re

import pytest

from visioncircuits.thread import article

CONJUNCTION = r"(and|or|so|but|which|nor|yet)\b"
PRONOUN = r"(they|it|its|their|theirs|these|those|this|some of them|what)\b"
VERB = r"""\b(
    is|are|has|have|can|come|comes|turn|cover|span|activates?|excites?|inhibits?|responds?|prefers?|
    rises?|falls?|fades?|echo|detects?|feeds?|makes?|explains?|depends|distinguish|enter|lie|lies|
    occur|leaves?|differ|cancel|cross|vary|count|run|tolerate|repair|bring|show|add|follow|reach|
    misses|corresponds?|moves|gives|overlap|orbit|orders|keep|finds|fill|follows|carry|live
)\b"""


@pytest.mark.parametrize("name", article.names())
def test_a_claim_begins_with_what_it_is_about_and_has_a_verb(name: str) -> None:
    for each in article.load(name).parts:
        for claim in each.claims:
            assert not re.match(CONJUNCTION, claim.text, re.IGNORECASE), claim.text
            assert not re.match(PRONOUN, claim.text, re.IGNORECASE), claim.text
            assert re.search(VERB, claim.text, re.VERBOSE), claim.text
