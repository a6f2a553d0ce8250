"""Which styles of a workbook show a number as a date or time."""

from __future__ import annotations

from functools import lru_cache

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format

from campaigns.services.exchange.archive import Attributes, Elements

# Characters of a number format, as spreadsheets bound it.
LONGEST_FORMAT = 255
# Elements: spreadsheets have at most some 65,000 styles, each with a few elements of its own.
MOST_OF_STYLES = 500_000

# Many styles share few formats.
_is_date = lru_cache(maxsize=1_000)(is_date_format)
_is_duration = lru_cache(maxsize=1_000)(is_timedelta_format)


class Styles(Elements):
    """Hears of a workbook's styles; cells refer to them by their number."""

    most = MOST_OF_STYLES

    def __init__(self) -> None:
        super().__init__()
        self.dates: set[int] = set()
        self.durations: set[int] = set()
        self._formats: dict[str, str] = {}
        self._parents: list[str] = []
        self._styles = 0

    def begin(self, name: str, attributes: Attributes) -> None:
        parent = self._parents[-1] if self._parents else ""
        self._parents.append(name)
        if (parent, name) == ("numFmts", "numFmt"):
            self._formats[attributes["numFmtId"]] = attributes["formatCode"][:LONGEST_FORMAT]
        elif (parent, name) == ("cellXfs", "xf"):
            self._add_style(attributes.get("numFmtId", "0"))

    def end(self, name: str) -> None:
        self._parents.pop()

    def _add_style(self, key: str) -> None:
        number_format = self._formats.get(key) or BUILTIN_FORMATS.get(int(key), "General")
        if _is_duration(number_format):
            self.durations.add(self._styles)
        elif _is_date(number_format):
            self.dates.add(self._styles)
        self._styles += 1
