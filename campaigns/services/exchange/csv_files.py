"""Reading and writing CSV, safe from formula injection in spreadsheets with any separator.

Every text is quoted, and gets ' before what a spreadsheet would run; reading removes exactly what writing added.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from campaigns.rules.amounts import DecimalMark
from campaigns.rules.csv_guard import guarded, unguarded
from campaigns.services.exchange.files import FileRefused, Row, TextTable, Value, as_table

# Error values of spreadsheets, in English and other European languages.
ERROR = re.compile(
    r"#(?:DIV/0!|NULL!|NUM!|REF!|VALUE!|NAME\?|N/A|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|BUSY!|UNKNOWN!|ERROR!"
    r"|BEZUG!|WERT!|ZAHL!|NV|ÜBERLAUF!|VALEUR!|NOM\?|NOMBRE!|NUL!|N/D|¡DIV/0!|¡REF!|¡VALOR!|¿NOMBRE\?|¡NUM!|¡NULO!"
    r"|RIF!|VALORE!|NOME\?|NULLO!|VALOR!|NÚM!|NULO!|VERW!|WAARDE!|NAAM\?|GETAL!|LEEG!|N/B"
    r"|ADR!|ARG!|NAZWA\?|LICZBA!|ZERO!|REFERENS!|VÄRDEFEL!|NAMN\?|OGILTIGT!|SKÄRNING!|SAKNAS!)|Err:[0-9]{3}"
)


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> bytes:
    """Return a CSV file in UTF-8 with a byte order mark, which spreadsheets need. Every text is quoted."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(columns)
    writer.writerows([_written(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def read_csv(data: bytes) -> TextTable:
    """Return the table of a CSV file. Raises FileRefused."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileRefused("The file is not in UTF-8: save it as “CSV UTF-8” and import it again.") from None
    head = text.splitlines()[0] if text else ""
    # Spreadsheets in countries with a decimal comma separate values by semicolons, but so do others: in such files a
    # point is ambiguous.
    if head.count(";") > head.count(","):
        return as_table(_rows(text, ";"), DecimalMark.UNKNOWN)
    return as_table(_rows(text, ","), DecimalMark.USUALLY_POINT)


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 1
    try:
        for values in reader:
            _check_errors(number, values)
            yield Row(number, [_unguarded(value) for value in values])
            number = reader.line_num + 1
    except csv.Error as error:
        raise FileRefused(
            f"Line {number} can't be read ({error}): put values with quotes or line breaks in quotes."
        ) from None


def _check_errors(number: int, values: Sequence[str]) -> None:
    error = next((value for value in values if ERROR.fullmatch(value.strip())), None)
    if error is not None:
        raise FileRefused(
            f"Line {number} holds “{error.strip()}”, which a spreadsheet writes where it couldn’t calculate a value:"
            " correct that cell."
        )


def _written(value: Value) -> Value:
    if isinstance(value, str):
        return _guarded(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    return value.isoformat() if isinstance(value, date) else value


def _guarded(text: str) -> str:
    """Return the text so that a spreadsheet takes it neither for a formula nor for an error."""
    return f"'{text}" if _is_error(text) else guarded(text)


def _unguarded(text: str) -> str:
    return text[1:] if text.startswith("'") and _is_error(text) else unguarded(text)


def _is_error(text: str) -> bool:
    return ERROR.fullmatch(text.lstrip("'").strip()) is not None
