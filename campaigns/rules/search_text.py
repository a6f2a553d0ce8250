"""The form in which names are searched: without case and accents, so that “sabia” finds “Sabiá”.

More is equal here than in name_key, by which two names are the same. campaigns/sql/postgresql_search.sql computes the
same in the database.
"""

from __future__ import annotations

import re
import unicodedata

# Accents, which are marks of their own once a letter is decomposed.
ACCENTS = re.compile("[\u0300-\u036f]")

# Lower-case letters that people type as others, but that have no decomposition.
LETTERS = {
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "þ": "th",
    "ð": "d",
    "đ": "d",
    "ħ": "h",
    "ı": "i",
    "ł": "l",
    "ø": "o",
    "ς": "σ",
}
_LETTERS = str.maketrans(LETTERS)


def search_text(text: str) -> str:
    """Return the text in lower case, without accents, compatible forms of letters replaced (ﬁ is fi, ② is 2)."""
    if text.isascii():
        return text.lower()
    return ACCENTS.sub("", unicodedata.normalize("NFKD", text)).lower().translate(_LETTERS)
