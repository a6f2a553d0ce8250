"""CSV both ways, written so that no spreadsheet runs anything of it, whatever it takes for a separator.

A spreadsheet that splits the file at semicolons, say, pays no heed to quotes within its cells. So ' stands in a text
before everything that would be a formula there: at the beginning, and behind every separator that a spreadsheet may
split at. Reading takes away what writing put there, and nothing else.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from campaigns.amounts import DecimalMark
from campaigns.services.exchange_files import FileRefused, Row, TextTable, Value, as_table

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
SEPARATORS = ";,|\t\r\n"
# What spreadsheets write instead of a value that they couldn't calculate, in English and in languages of Europe.
ERROR = re.compile(
    r"#(?:DIV/0!|NULL!|NUM!|REF!|VALUE!|NAME\?|N/A|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|BUSY!|UNKNOWN!|ERROR!"
    r"|BEZUG!|WERT!|ZAHL!|NV|ÜBERLAUF!|VALEUR!|NOM\?|NOMBRE!|NUL!|N/D|¡DIV/0!|¡REF!|¡VALOR!|¿NOMBRE\?|¡NUM!|¡NULO!"
    r"|RIF!|VALORE!|NOME\?|NULLO!|VALOR!|NÚM!|NULO!|VERW!|WAARDE!|NAAM\?|GETAL!|LEEG!|N/B"
    r"|ADR!|ARG!|NAZWA\?|LICZBA!|ZERO!|REFERENS!|VÄRDEFEL!|NAMN\?|OGILTIGT!|SKÄRNING!|SAKNAS!)|Err:[0-9]{3}"
)


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> bytes:
    """Return a CSV file in UTF-8, with the mark by which spreadsheets know that. Every text is quoted."""
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
    # Spreadsheets of countries with a decimal comma put semicolons between values, but so do others: there a point
    # may be either.
    if head.count(";") > head.count(","):
        return as_table(_rows(text, ";"), DecimalMark.UNKNOWN)
    return as_table(_rows(text, ","), DecimalMark.USUALLY_POINT)


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 1
    try:
        for values in reader:
            _check_errors(number, values)
            yield Row(number, [unguarded(value) for value in values])
            number = reader.line_num + 1
    except csv.Error as error:
        raise FileRefused(f"Line {number} can't be read ({error}): quote what holds quotes or line breaks.") from None


def _check_errors(number: int, values: Sequence[str]) -> None:
    error = next((value for value in values if ERROR.fullmatch(value.strip())), None)
    if error is not None:
        raise FileRefused(
            f"Line {number} holds “{error.strip()}”, which a spreadsheet writes where it couldn’t calculate a value:"
            " correct that cell."
        )


def _written(value: Value) -> Value:
    if isinstance(value, str):
        return guarded(value)
    return value.isoformat() if isinstance(value, date) else value


def guarded(text: str) -> str:
    """Return a text that is neither a formula nor an error, wherever a spreadsheet splits it."""
    if ERROR.fullmatch(_without_quotes(text).strip()):
        return f"'{text}"
    begins = _begins_a_formula(text)
    return "".join(f"'{char}" if begins[place] else char for place, char in enumerate(text))


def unguarded(text: str) -> str:
    """Return the text that was guarded; others come back as they are."""
    if "'" not in text:
        return text
    if text.startswith("'") and ERROR.fullmatch(_without_quotes(text).strip()):
        return text[1:]
    begins = _begins_a_formula(text)
    return "".join(char for place, char in enumerate(text) if char != "'" or not begins[place])


def _begins_a_formula(text: str) -> list[bool]:
    """Tell for each place whether a cell may begin there that is a formula behind space and quotes.

    It goes through the text once, from its end: a pattern that looks ahead would take ever longer for long ones.
    """
    begins, is_formula = [False] * len(text), False
    for place in range(len(text) - 1, -1, -1):
        char = text[place]
        is_formula = char in FORMULA_STARTS or (is_formula and (char in "'\"" or char.isspace()))
        begins[place] = is_formula and (place == 0 or text[place - 1] in SEPARATORS)
    return begins


def _without_quotes(text: str) -> str:
    return text.lstrip("'")
