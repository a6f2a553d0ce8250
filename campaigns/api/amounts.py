"""Money in rows: exact decimals, as strings or as numbers that no float has passed."""

from __future__ import annotations

import re
from decimal import Context, Decimal, Inexact, InvalidOperation

import msgspec
from msgspec import Meta

from campaigns.rules.money import PLACES, SMALLEST

# Refuses to round, and amounts of a billion and more, which have more than 15 digits.
EXACT = Context(prec=9 + PLACES, traps=[Inexact, InvalidOperation])
# Decimal takes more than that as a string: "1_000", " 1", digits of other scripts, "NaN".
PLAIN = re.compile(rb"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")

Raw = bytearray | msgspec.Raw


AMOUNT = Meta(
    description="In the brand's currency, to six decimals; negative for a refund, never 0. A string or exact number.",
    examples=["12.345678"],
    extra_json_schema={"pattern": rf"^{PLAIN.pattern.decode()}$"},
)
TOTAL = Meta(
    description="The spend of the whole day so far, in the account's currency, to six decimals. A string or an exact"
    " number.",
    examples=["180.5"],
    extra_json_schema={"pattern": rf"^{PLAIN.pattern.decode()}$"},
)


class PlainStrings:
    """Finds strings of a field that aren't plain numbers. The whole body is looked at first, which takes no time."""

    def __init__(self, field: str, body: bytearray) -> None:
        start = rf'"{field}"\s*:\s*"'.encode()
        self.value = re.compile(start + rb'([^"]*)"')
        self.has_odd = re.search(start + rb'[^"]*[^-+.eE0-9"]', body) is not None

    def allow(self, raw: Raw) -> bool:
        """Return whether the field of a row is a number, or a string that looks like one."""
        if not self.has_odd:
            return True
        found = self.value.search(raw)
        return found is None or PLAIN.fullmatch(found[1]) is not None


def exact_amount(amount: Decimal) -> Decimal | None:
    """Return the amount with six decimals; None if it isn't a number below a billion with at most six."""
    try:
        fixed = EXACT.quantize(amount, SMALLEST)
    except (Inexact, InvalidOperation):
        return None
    return None if fixed.is_nan() else fixed


def explain_amount(field: str, amount: Decimal, limit: int) -> str:
    """Return why an amount isn't valid; 0 is one reason where no other is found."""
    if not amount.is_finite():
        return f"The {field} must be a number."
    if not amount:
        return f"The {field} must not be 0."
    if amount.copy_abs() >= limit:
        return f"The {field} must be between -{limit:,} and {limit:,}."
    return f"The {field} must be a plain number with at most {PLACES} decimals, such as 12.345678."
