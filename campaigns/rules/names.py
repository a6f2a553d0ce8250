"""What a name of a brand or a campaign may consist of, and when two names are the same.

Names reach us typed, from spreadsheets and from ad platforms: the same name composed (NFC) or decomposed (NFD), with
no-break spaces, in other letters of case, with characters that nobody sees. Written differently they would become
different brands, the new ones without budgets. So each name is stored in one normal form, and compared by a key.
"""

from __future__ import annotations

import unicodedata

from campaigns.rules.text import shorten

# Control characters that count as space: spreadsheets put them into cells.
LINE_BREAKS = "\t\n\v\f\r\x85"

# Characters without a shape of their own that Unicode doesn't class as format characters (Cf): joiners, fillers.
INVISIBLE = frozenset(
    map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x2800, 0x3164, 0xFFA0, *range(0xFFF0, 0xFFF9)))
) | frozenset(map(chr, range(0xE0000, 0xE0100)))

# They choose between two shapes of the character before, as in the emoji ❤️: kept in names, ignored in comparing.
VARIATION_SELECTORS = frozenset(
    map(chr, (0x180B, 0x180C, 0x180D, 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)

# Control characters, format characters (zero-width, bidirectional, soft hyphen, byte order mark), half surrogates.
REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})


def normal_name(text: str) -> str:
    """Return a name in its normal form: NFC, spaces of any kind folded into one, none around it.

    Raises ValueError, with a sentence for people, where it contains a character that can't be seen. Zero-width joiners
    are refused too, although Persian words and some emoji have them: two names that look the same would differ.
    Characters newer than Python's Unicode data are not refused: next year's emoji are among them.
    An empty name stays empty: whether there must be one is for the caller to say.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    for character in text:
        if is_refused(character):
            raise ValueError(
                f"“{_visible(text)}” contains {_described(character)}, which can't be seen: remove it from the name."
            )
    normal = " ".join(unicodedata.normalize("NFC", text).split())
    if normal and not name_key(normal):
        raise ValueError("The name consists of characters that can't be seen: write letters or digits.")
    return normal


def name_key(text: str) -> str:
    """Return what is equal for two names exactly if they are the same name. It never raises.

    Unicode's canonical caseless match: case is folded fully, so ß is ss and ς is σ, on decomposed text. Case is not
    that of a language: the Turkish ı and İ are letters of their own, neither is i. Accents count, and so do the scripts
    of letters that look alike. What normal_name refuses is left out: a stored name that has such characters, written
    by SQL or before they were refused, is the twin of the name without them.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.lower().split())
    kept = "".join(char for char in text if char not in VARIATION_SELECTORS and not is_refused(char))
    folded = unicodedata.normalize("NFD", kept).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


def is_same(one: str, other: str) -> bool:
    """Return whether two names are the same name."""
    return name_key(one) == name_key(other)


def is_refused(character: str) -> bool:
    """Return whether a character may not be in a name."""
    if character in LINE_BREAKS:
        return False
    code = ord(character)
    return (
        unicodedata.category(character) in REFUSED_CATEGORIES
        or character in INVISIBLE
        or 0xFDD0 <= code <= 0xFDEF  # noncharacters, as those that end each plane
        or code & 0xFFFE == 0xFFFE
    )


def _visible(text: str) -> str:
    """Return the text with its invisible characters named, so that none disturbs the sentence around it."""
    named = "".join(f"[{_code(char)}]" if is_refused(char) else char for char in text)
    return shorten(" ".join(named.split()))


def _described(character: str) -> str:
    name = unicodedata.name(character, "control character").lower()
    return f"the character {_code(character)} ({name})"


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"
