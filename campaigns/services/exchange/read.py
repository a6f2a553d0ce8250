"""Reading a file of brands, campaigns or schedules in either format; without Django."""

from __future__ import annotations

from campaigns.services.exchange.csv_files import read_csv
from campaigns.services.exchange.files import MAX_BYTES, FileRefused, TextTable


def read_table(name: str, data: bytes) -> TextTable:
    """Return the table of a CSV or XLSX file, by its name. Raises FileRefused."""
    if len(data) > MAX_BYTES:
        raise FileRefused(f"The file is larger than {MAX_BYTES // 1024**2} MB: import it in several files.")
    if name.lower().endswith(".xlsx"):
        # openpyxl takes a quarter of a process's start, which most processes don't need.
        from campaigns.services.exchange.xlsx import read_xlsx

        return read_xlsx(data)
    if name.lower().endswith(".csv"):
        return read_csv(data)
    raise FileRefused(f"“{name}” isn’t a CSV or XLSX file: save it as one of these.")
