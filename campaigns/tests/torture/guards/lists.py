"""Lists as files: what can't be taken is refused, nothing runs in a spreadsheet, and no file takes much (R5)."""

from __future__ import annotations

from campaigns.tests.torture.guards.guard import Guard

ARCHIVE = "campaigns/services/exchange/archive.py"
SHEET = "campaigns/services/exchange/sheet.py"
XLSX = "campaigns/services/exchange/xlsx.py"
CSV = "campaigns/services/exchange/csv_files.py"
FILES = "campaigns/services/exchange/files.py"
CELLS = "campaigns/services/exchange/cells.py"
BOMBS, LONG, WORKBOOKS = "test_exchange_bombs", "test_exchange_long", "test_exchange_workbooks"
AMOUNTS = "test_exchange_amounts"

GUARDS = (
    Guard("a workbook declares no entities", ARCHIVE, "parser.forbid_dtd = True", "parser.forbid_dtd = False", BOMBS),
    Guard("parts that are never read declare none", XLSX, "        archive.check_prologs()\n", "", BOMBS),
    Guard("long comments are refused", ARCHIVE, "if unheard > MAX_TOKEN_BYTES:", "if False:", BOMBS),
    Guard("elements are counted", ARCHIVE, "if count > MAX_ELEMENTS:", "if False:", BOMBS),
    Guard("small parts are small", ARCHIVE, "if handler.count > handler.most:", "if False:", LONG),
    Guard("a workbook unpacks to little", ARCHIVE, " > MAX_UNPACKED_BYTES:", " > MAX_UNPACKED_BYTES * 100:", BOMBS),
    Guard(
        "a text that cells share is unescaped once",
        SHEET,
        "return self._book.strings[int(cell.value)]",
        "return unescaped(unescaped(self._book.strings[int(cell.value)]).replace('A', '_x0041_'))",
        LONG,
    ),
    Guard(
        "formulas have a saved value",
        SHEET,
        "elif cell.is_formula and _is_uncalculated(cell):",
        "elif False:",
        WORKBOOKS,
    ),
    Guard("a formula saved as 0 is none", SHEET, 'or (cell.type == "n" and not _number(cell.value))', "", WORKBOOKS),
    Guard("errors of cells are refused", SHEET, 'if cell.type == "e":', "if False:", WORKBOOKS),
    Guard("errors in CSV are refused", CSV, "            _check_errors(number, values)\n", "", AMOUNTS),
    Guard("points have two readings beside semicolons", CSV, "DecimalMark.UNKNOWN", "DecimalMark.POINT", AMOUNTS),
    Guard("numbers of a workbook have a decimal point", FILES, "column in self.numbers", "False", AMOUNTS),
    Guard(
        "an amount that rounds to 0 is refused",
        CELLS,
        "if amount.is_rounded and not amount.value:",
        "if False:",
        "test_exchange_lines",
    ),
    Guard(
        "formulas are guarded behind separators",
        "campaigns/rules/csv_guard.py",
        'SEPARATORS = r"[;,|\\t\\r\\n]"',
        'SEPARATORS = r"[\\n]"',
        "test_exchange_files",
    ),
    Guard("ids may be negative", CELLS, 'r"-?[0-9]{1,19}"', 'r"[0-9]{1,19}"', "test_exchange_keys"),
)
