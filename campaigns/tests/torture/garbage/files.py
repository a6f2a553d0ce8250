"""Spend files as broken exports write them: a long one with every kind of broken line, and odd ones.

What must come of each line is said here, apart from the reader: which lines are refused, for what, and what the others
add up to. A line ends where a LF is, and nowhere else.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, NamedTuple

HEADER = b"timestamp,brand,campaign,amount,external_id\n"
NOON = "2026-11-20T12:00:00Z"

# A line, and words of the reason for which it is refused.
BROKEN = {
    b"{t},{b},{c},NaN,{i}": "isn't a valid amount",
    b"{t},{b},{c},inf,{i}": "isn't a valid amount",
    b"{t},{b},{c},1e,{i}": "isn't a valid amount",
    b"{t},{b},{c},1_000,{i}": "isn't a valid amount",
    b'{t},{b},{c},"1,250",{i}': "could mean",
    b"{t},{b},{c},\xe2\x82\xac1,{i}": "counts in USD",
    b"{t},{b},{c},0x10,{i}": "isn't a valid amount",
    b"{t},{b},{c},\xef\xbc\x91,{i}": "isn't a valid amount",
    b"{t},{b},{c},1000000000000000000000000000000,{i}": "too large",
    b"{t},{b},{c},-1000000000,{i}": "too large",
    b"{t},{b},{c},999999999.9999995,{i}": "too large",
    b"0001-01-01T00:00:00Z,{b},{c},1,{i}": "outside 2012 to 2099",
    b"9999-12-31T23:59:59Z,{b},{c},1,{i}": "outside 2012 to 2099",
    b"2011-12-31T23:59:59.999999Z,{b},{c},1,{i}": "outside 2012 to 2099",
    b"0001-01-01T00:00:00+14:00,{b},{c},1,{i}": "outside 2012 to 2099",
    b"9999-12-31T23:59:59-12:00,{b},{c},1,{i}": "outside 2012 to 2099",
    b"2026-02-30T00:00:00Z,{b},{c},1,{i}": "isn't a valid date and time",
    b"11/20/2026,{b},{c},1,{i}": "doesn't start with the year",
    b"2026-11-20T24:00:00,{b},{c},1,{i}": "is midnight at the end of a day",
    b"infinity,{b},{c},1,{i}": "isn't a valid date and time",
    b",{b},{c},1,{i}": "isn't a valid date and time",
    b"{t},,{c},1,{i}": "brand is empty",
    b"{t},{b},  ,1,{i}": "campaign is empty",
    b"{t},Nobody,{c},1,{i}": "no brand “Nobody”",
    b"{t},{b},Nothing,1,{i}": "no campaign “Nothing”",
    b"{t},{b},Foreign,1,{i}": "no campaign “Foreign”",
    b"{t},{b},{c},1": "4 values where the first line names 5",
    b"{t},{b},{c},1,{i},more": "6 values where the first line names 5",
    b"{t}": "1 values where the first line names 5",
    b"timestamp,brand,campaign,amount,external_id": "isn't a valid amount",
    b'"{t},{b},{c},1,{i}': "quotes",
    b'{t},"{b}"x,{c},1,{i}': "quotes",
    b"{t},{b},{c},1,\xff\xfe": "not UTF-8",
    b"{t},{b},{c},1,caf\xe9": "not UTF-8",
    b"{t},{b},{c},1,\xed\xa0\x80": "not UTF-8",
    b"{t},{b},{c},1,a\0b": "NUL",
    b"\0": "NUL",
    b"{t},{b},{c},1,a\rb": "carriage return",
    b"{t},{b},{c},1," + b"x" * 256: "at most 255",
    b"{t}," + b"x" * 201 + b",{c},1,{i}": "at most 200",
    b"{t},{b},{c},1,{i}," + b"," * 10_000: "10006 values",
    b"{t},{b},{c},1," + b"y" * 150_000: "longer than 100,000 bytes",
}

PASSED_OVER = (
    b"",
    b"   ",
    b"\t",
    b"\xc2\xa0",
    b",,,,",
    b" , ,",
    b"{t},{b},{c},0.00,{i}",
    b"{t},{b},{c},0.0000001,{i}",
    b"{t},{b},{c},--,{i}",
    b"{t},{b},{c},,{i}",
)
ODD_BUT_VALID = (
    b'"{t}","{b}","{c}","{a}","{i}"',
    b" {t} , {b} , {c} , {a} , {i} ",
    b'{t},{b},{c},{a},"{i}, with ""quotes"""',
    b"{t},{b},{c},{a},{i}\x0b\x0c\x1c\xc2\x85\xe2\x80\xa8end",
    b"{t},{b},{c},{a},{i}\r",
)


@dataclass
class Written:
    """What a file holds: the lines that are refused, with words of why, and what the others add up to."""

    refused: dict[int, str] = field(default_factory=dict)
    valid: int = 0
    repeated: int = 0
    amount: Decimal = Decimal(0)


class LongFile:
    """Writes a file of many lines, one in ten broken, and keeps account of them."""

    def __init__(self, *, brand: str, campaign: str, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.brand, self.campaign = brand.encode(), campaign.encode()
        self.written = Written()
        self.number = 1
        self.example = b""

    def write(self, path: Path, lines: int, *, longest: int = 0) -> Written:
        """Write at least so many lines after the header and, in their middle, one of so many bytes."""
        with path.open("wb") as file:
            file.write(HEADER)
            while self.number <= lines:
                if longest and self.number > lines // 2:
                    self.write_longest(file, longest)
                    longest = 0
                for line in self.next_lines():
                    file.write(line + b"\n")
        return self.written

    def write_longest(self, file: BinaryIO, length: int) -> None:
        file.writelines(b"z" * 1_000_000 for _ in range(length // 1_000_000))
        file.write(self.refuse(b"\n", "longer than 100,000 bytes"))

    def next_lines(self) -> Iterator[bytes]:
        draw = self.random.random()
        if draw > 0.1:
            yield self.accept(b"{t},{b},{c},{a},{i}")
        elif draw > 0.02:
            yield self.broken()
        else:
            yield from self.random.choice((self.odd, self.empty, self.again, self.otherwise, self.two_lines))()

    def accept(self, pattern: bytes) -> bytes:
        """Fill a pattern with a valid row."""
        self.number += 1
        micros = self.random.randrange(1, 10**9)
        self.written.valid += 1
        self.written.amount += Decimal(micros).scaleb(-6)
        line = self.fill(pattern.replace(b"{a}", b"%d.%06d" % divmod(micros, 10**6)))
        if pattern == b"{t},{b},{c},{a},{i}":
            self.example = line
        return line

    def refuse(self, line: bytes, why: str) -> bytes:
        self.number += 1
        self.written.refused[self.number] = why
        return self.fill(line)

    def fill(self, pattern: bytes) -> bytes:
        parts = {b"{t}": NOON.encode(), b"{b}": self.brand, b"{c}": self.campaign, b"{i}": b"row-%d" % self.number}
        for name, value in parts.items():
            pattern = pattern.replace(name, value)
        return pattern

    def broken(self) -> bytes:
        line, why = self.random.choice(SHORT if self.random.random() < 0.99 else HEAVY)
        return self.refuse(line, why)

    def odd(self) -> Iterator[bytes]:
        yield self.accept(self.random.choice(ODD_BUT_VALID))

    def empty(self) -> Iterator[bytes]:
        self.number += 1
        yield self.fill(self.random.choice(PASSED_OVER))

    def again(self) -> Iterator[bytes]:
        """Say the same row twice: it counts once (R11)."""
        if self.example:
            self.number += 1
            self.written.repeated += 1
            yield self.example

    def otherwise(self) -> Iterator[bytes]:
        """Say something else under an external id that is taken."""
        if self.example:
            before, _, name = self.example.rpartition(b",")
            yield self.refuse(before.rpartition(b",")[0] + b",0.5," + name, "has external_id")

    def two_lines(self) -> Iterator[bytes]:
        """Break a line within quotes: these are two lines, and both are broken."""
        yield self.refuse(b'{t},{b},{c},1,"two', "quotes")
        yield self.refuse(b'lines"', "1 values")


HEAVY = [(line, why) for line, why in BROKEN.items() if len(line) > 1_000]
SHORT = [(line, why) for line, why in BROKEN.items() if len(line) <= 1_000]


class Odd(NamedTuple):
    """An odd file: its bytes, how many rows of 1 it brings with --skip-errors and without, and what is said of it."""

    data: bytes
    skipping: int
    strict: int
    said: str


ROW = b"2026-11-20T12:00:00Z,Acme,Spring,1,\n"
PLAIN = HEADER + ROW * 3
COLUMNS = b",".join(b"column%d" % number for number in range(10_000))
MANY_COLUMNS = COLUMNS + b",timestamp,brand,campaign,amount\n"
WIDE_ROW = b"," * 10_000 + b"2026-11-20T12:00:00Z,Acme,Spring,1\n"

ODD_FILES = {
    "byte order mark": Odd(b"\xef\xbb\xbf" + PLAIN, 3, 3, "3 rows imported"),
    "two byte order marks": Odd(b"\xef\xbb\xbf" * 2 + PLAIN, 0, 0, "no column “timestamp”"),
    "CRLF": Odd(PLAIN.replace(b"\n", b"\r\n"), 3, 3, "3 rows imported"),
    "byte order mark and CRLF": Odd(b"\xef\xbb\xbf" + PLAIN.replace(b"\n", b"\r\n"), 3, 3, "3 rows imported"),
    "lone CR": Odd(PLAIN.replace(b"\n", b"\r"), 0, 0, "Line 1: The line holds a carriage return"),
    "one lone CR": Odd(HEADER + ROW + ROW.replace(b"\n", b"\r") + ROW + ROW, 2, 0, "line 3: The line holds a carriage"),
    "empty": Odd(b"", 0, 0, "The file is empty"),
    "a line end": Odd(b"\n" + PLAIN, 0, 0, "its first line is: the first line names the columns"),
    "header only": Odd(HEADER, 0, 0, "0 rows imported"),
    "header without an end": Odd(HEADER.rstrip(), 0, 0, "0 rows imported"),
    "header twice": Odd(HEADER + PLAIN, 3, 0, "line 2: The amount “amount” isn't a valid amount"),
    "header with a column twice": Odd(b"amount," + PLAIN, 0, 0, "“amount” 2 times"),
    "header with an open quote": Odd(b'"' + PLAIN, 0, 0, "Line 1: The quotes of the line don't match"),
    "header in capitals": Odd(HEADER.upper() + ROW * 3, 3, 3, "3 rows imported"),
    "10,000 more columns": Odd(MANY_COLUMNS + WIDE_ROW * 3, 0, 0, "Line 1: The line is longer than 100,000 bytes"),
    "2,000 more columns": Odd(
        MANY_COLUMNS[MANY_COLUMNS.index(b"column8000") :] + WIDE_ROW[8_000:] * 3, 3, 3, "3 rows imported"
    ),
    "10,000 values": Odd(PLAIN + b"x" + b"," * 9_999 + b"\n" + ROW, 4, 0, "line 5: The line has 10000 values"),
    "no line end at the end": Odd(PLAIN.rstrip(b"\n"), 3, 3, "3 rows imported"),
    "empty lines": Odd(PLAIN.replace(b"\n", b"\n\n \n\r\n"), 3, 3, "3 rows imported"),
    "semicolons": Odd(PLAIN.replace(b",", b";"), 3, 3, "3 rows imported"),
    "tabs": Odd(PLAIN.replace(b",", b"\t"), 3, 3, "3 rows imported"),
    "bars": Odd(PLAIN.replace(b",", b"|"), 0, 0, "no column “timestamp”"),
    "separators only": Odd(PLAIN + b"," * 9_999 + b"\n" + ROW, 4, 4, "4 rows imported"),
    "a quote that never closes": Odd(HEADER + ROW + b'"' + ROW * 3, 3, 0, "line 3: The quotes of the line don't match"),
    "cut off in a line": Odd(PLAIN + ROW[:30], 3, 0, "line 5: The line has 3 values"),
    "cut off in a character": Odd(PLAIN + ROW.rstrip() + "é".encode()[:1], 3, 0, "line 5: Byte 36 of the line (0xc3)"),
    "NUL in the header": Odd(b"\0" + PLAIN, 0, 0, "Line 1: The line contains a NUL byte"),
    "NULs at the end": Odd(PLAIN + b"\0" * 4096, 3, 0, "line 5: The line contains a NUL byte"),
    "NULs only": Odd(b"\0" * 1_000_000, 0, 0, "Line 1: The line is longer than 100,000 bytes"),
    "UTF-16": Odd(PLAIN.decode().encode("utf-16"), 0, 0, "Line 1: The line contains a NUL byte, as UTF-16"),
    "UTF-16 without its mark": Odd(PLAIN.decode().encode("utf-16-le"), 0, 0, "Line 1: The line contains a NUL byte"),
    "UTF-32": Odd(PLAIN.decode().encode("utf-32"), 0, 0, "Line 1: The line contains a NUL byte"),
    "Latin-1": Odd(
        PLAIN + ROW.replace(b"Acme", b"Caf\xe9"), 3, 0, "line 5: Byte 25 of the line (0xe9) isn't valid UTF-8"
    ),
    "gzip": Odd(gzip.compress(PLAIN), 0, 0, "compressed (gzip): unpack it"),
    "a workbook": Odd(b"PK\x03\x04" + bytes(range(256)) * 100, 0, 0, "a ZIP archive or a workbook"),
    "random bytes": Odd(random.Random(7).randbytes(1_000_000), 0, 0, "Line 1: "),
    "random bytes after the header": Odd(PLAIN + random.Random(8).randbytes(300_000) + b"\n" + ROW, 4, 0, "line 5: "),
    "JSON": Odd(b'[{"timestamp": "2026-11-20T12:00:00Z", "brand": "Acme"}]', 0, 0, "Line 1"),
}
