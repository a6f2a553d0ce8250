"""Reading a file of brands, campaigns or schedules, whichever format it has."""

from __future__ import annotations

from campaigns.services.exchange.csv_files import read_csv
from campaigns.services.exchange.files import LARGEST, FileRefused, TextTable
from campaigns.services.exchange.xlsx import read_xlsx


def read_table(name: str, data: bytes) -> TextTable:
    """Return the file's table; its name tells the format. Raises FileRefused."""
    if len(data) > LARGEST:
        raise FileRefused(f"The file is larger than {LARGEST // 1024**2} MB: import it in several files.")
    if name.lower().endswith(".xlsx"):
        return read_xlsx(data)
    if name.lower().endswith(".csv"):
        return read_csv(data)
    raise FileRefused(f"“{name}” is neither CSV nor XLSX: save it as one of these.")
