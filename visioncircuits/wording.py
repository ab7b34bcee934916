"""Articles and plurals, for lines that have a name or a count in them."""


def with_article(noun: str) -> str:
    """Put "a" or "an" before a noun, by its first letter.

    Examples
    --------
    >>> with_article("curve"), with_article("edge")
    ('a curve', 'an edge')
    """
    return f"{'an' if noun[:1].lower() in tuple('aeiou') else 'a'} {noun}"


def counted(count: int, noun: str) -> str:
    """Put a count before a noun, in the plural where it is not one.

    Examples
    --------
    >>> counted(1, "variant"), counted(3, "variant")
    ('1 variant', '3 variants')
    """
    return f"{count} {noun}{'s' * (count != 1)}"
