"""How much of everything a run makes and measures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

CAMPAIGNS_OF_A_BRAND = 10


@dataclass(frozen=True)
class Sizes:
    """Counts of rows; `runs` is odd, so that the median is one of them."""

    brands: int
    """Of the large world, with ten campaigns each; as many windows as campaigns."""
    small_brands: int
    """Of the world that a quick check over as many touched brands is compared with."""
    touched: int
    days: int
    """Of totals."""
    runs: int
    warm_up: bool
    pending: int
    single_rows: int
    """Inserted by each of 8 connections in a run; transactions insert three times as many."""
    batches: int
    """Of 1,000 rows by each of 4 connections in a run."""
    copied: int
    loops: tuple[int, ...]
    """Brands of the worlds in which the usual loop is measured."""
    loop_once_from: int
    """Campaigns from which on one such loop is enough to wait for."""
    setting_runs: int
    """With and without a setting of PostgreSQL's."""
    years_brands: int
    years_rows: tuple[int, int]
    """Spend records of a young and an old ledger of the same campaigns."""
    sqlite_brands: int
    sqlite_rows: int
    people: int
    """Who save beside a check."""
    alone: float
    """Seconds for which people and writers are watched with no check beside them."""


FULL = Sizes(
    brands=100_000,
    small_brands=1_000,
    touched=100,
    days=30,
    runs=5,
    warm_up=True,
    pending=1_000_000,
    single_rows=3_000,
    batches=75,
    copied=1_000_000,
    loops=(100, 1_000, 10_000),
    loop_once_from=50_000,
    setting_runs=3,
    years_brands=1_000,
    years_rows=(1_000_000, 10_000_000),
    sqlite_brands=1_000,
    sqlite_rows=1_000_000,
    people=2,
    alone=10.0,
)

QUICK = Sizes(
    brands=5_000,
    small_brands=200,
    touched=20,
    days=10,
    runs=3,
    warm_up=True,
    pending=50_000,
    single_rows=400,
    batches=8,
    copied=50_000,
    loops=(10, 50, 200),
    loop_once_from=1_000,
    setting_runs=1,
    years_brands=100,
    years_rows=(20_000, 200_000),
    sqlite_brands=200,
    sqlite_rows=50_000,
    people=2,
    alone=2.0,
)

TINY = Sizes(
    brands=20,
    small_brands=4,
    touched=1,
    days=2,
    runs=1,
    warm_up=False,
    pending=200,
    single_rows=5,
    batches=1,
    copied=100,
    loops=(2, 4),
    loop_once_from=30,
    setting_runs=1,
    years_brands=2,
    years_rows=(200, 400),
    sqlite_brands=4,
    sqlite_rows=80,
    people=1,
    alone=0.1,
)
"""For the tests of the bench itself."""


class SizeError(Exception):
    """What was given is no size, in one sentence."""


def changed(sizes: Sizes, given: Iterable[str]) -> Sizes:
    """Return the sizes with what NAME=VALUE says put in; several numbers have commas between them."""
    fields = asdict(sizes)
    for text in given:
        name, _, value = text.partition("=")
        if name not in fields:
            raise SizeError(f"--set {text}: there is no size {name}; there are {', '.join(fields)}.")
        try:
            fields[name] = _like(fields[name], value)
        except ValueError:
            raise SizeError(f"--set {text}: {value or 'nothing'} is no number of {name}.") from None
    for name in ("runs", "setting_runs"):
        if fields[name] % 2 == 0:
            text = f"--set {name}={fields[name]}"
            raise SizeError(f"{text}: the median of an even number is none of them; give an odd one.")
    return replace(sizes, **fields)


def _like(old: object, value: str) -> object:
    if isinstance(old, tuple):
        return tuple(int(part) for part in value.split(","))
    return float(value) if isinstance(old, float) else int(value)


def as_options(sizes: Sizes) -> list[str]:
    """Return the options of the command that give these sizes."""
    texts = {
        name: ",".join(map(str, value))
        if isinstance(value, tuple)
        else str(float(value) if name == "alone" else int(value))
        for name, value in asdict(sizes).items()
    }
    return [option for name, text in texts.items() for option in ("--set", f"{name}={text}")]
