"""Valid names of brands and campaigns, and when two names are the same.

The same name can come composed (NFC) or decomposed (NFD), with no-break spaces, in another case, or with invisible
characters, because names are typed or come from spreadsheets and ad platforms. Taken as different, they would become
new brands without budgets. So each name is stored in a normal form and compared by a key.
"""

from __future__ import annotations

import unicodedata

from campaigns.rules.text import shorten

# Control characters that count as space, because spreadsheets put them into cells.
LINE_BREAKS = "\t\n\v\f\r\x85"

# Invisible characters that aren't format characters (Cf) in Unicode: joiners, fillers.
INVISIBLE = frozenset(
    map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x2800, 0x3164, 0xFFA0, *range(0xFFF0, 0xFFF9)))
) | frozenset(map(chr, range(0xE0000, 0xE0100)))

# Variation selectors, as in the emoji ❤️: kept in names, ignored in comparisons.
VARIATION_SELECTORS = frozenset(
    map(chr, (0x180B, 0x180C, 0x180D, 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)

# Control characters, format characters (zero-width, bidirectional, soft hyphen, byte order mark), surrogates.
REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})


def normal_name(text: str) -> str:
    """Return a name in its normal form: NFC, spaces of any kind collapsed and stripped.

    Raises ValueError with a message for people if it contains an invisible character. This includes zero-width joiners,
    although Persian words and some emoji have them, because two names that look the same would differ. Characters newer
    than Python's Unicode data are accepted. An empty name stays empty.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    for character in text:
        if is_refused(character):
            raise ValueError(
                f"“{_visible(text)}” contains {_described(character)}, which is invisible: remove it from the name."
            )
    normal = " ".join(unicodedata.normalize("NFC", text).split())
    if normal and not name_key(normal):
        raise ValueError("The name consists of invisible characters: use letters or digits.")
    return normal


def name_key(text: str) -> str:
    """Return a key that is equal for two names exactly if they are the same. Never raises.

    This is Unicode's canonical caseless match: full case folding on decomposed text, so ß is ss and ς is σ. It doesn't
    depend on a language: the Turkish ı and İ are different from i. Accents and scripts are significant. Characters that
    normal_name refuses are ignored: a stored name with them, written by SQL, equals the name without them.
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
    """Return whether names can't contain a character."""
    if character in LINE_BREAKS:
        return False
    code = ord(character)
    return (
        unicodedata.category(character) in REFUSED_CATEGORIES
        or character in INVISIBLE
        or 0xFDD0 <= code <= 0xFDEF  # noncharacters, like the last two of each plane
        or code & 0xFFFE == 0xFFFE
    )


def _visible(text: str) -> str:
    """Return the text with code points in place of invisible characters, for an error message."""
    named = "".join(f"[{_code(char)}]" if is_refused(char) else char for char in text)
    return shorten(" ".join(named.split()))


def _described(character: str) -> str:
    name = unicodedata.name(character, "control character").lower()
    return f"the character {_code(character)} ({name})"


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"
