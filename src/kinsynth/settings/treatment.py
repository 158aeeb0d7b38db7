"""What happens to a column: its type, its treatment and the options of each type."""

from __future__ import annotations

from typing import Literal, get_args

from kinsynth.settings.base import Settings, setting
from kinsynth.settings.visibility import when

ColumnTypeName = Literal[
    "boolean",
    "categorical",
    "integer",
    "numeric",
    "date",
    "time",
    "datetime",
    "coordinates",
    "text",
    "identifier",
]
COLUMN_TYPES: tuple[str, ...] = get_args(ColumnTypeName)
NUMBERS = ("integer", "numeric")
DATES = ("date", "time", "datetime")
ORDERED = NUMBERS + DATES
CATEGORIES = ("boolean", "categorical")
_HERE = "tables.<table>.columns.<column>."


class Column(Settings):
    """One column. A field that does not apply to the column's type must keep its default."""

    include: bool = setting(True, "Include", "Whether the column takes part at all.")
    type: ColumnTypeName | None = setting(None, "Type", "What the values mean; missing means as detected.")
    treatment: Literal["synthesize", "leave_out", "null", "mock", "hash", "mask", "generalise", "shift"] = (
        setting(
            "synthesize",
            "Treatment",
            "synthesize draws new values from the model; leave_out keeps the column out of model and result.",
            available_values=("synthesize", "leave_out"),
        )
    )
    sensitive: bool = setting(
        False,
        "Sensitive",
        "Marks personal data: a green shield when synthesised, a gray one when left as it is.",
    )
    context: bool = setting(
        False,
        "Keep as context",
        "Generate the other columns given values of this one.",
        available=False,
        advanced=True,
    )
    missing: Literal["reproduce", "impute"] = setting(
        "reproduce", "Missing values", "reproduce keeps their share; impute never generates a missing value."
    )
    never: tuple[str, ...] = setting(
        (), "Values never to generate", "Written as in the source. At least one other value must remain."
    )
    special_values: tuple[str, ...] = setting(
        (),
        "Special values",
        "Values with a meaning of their own (-1, 999, 1900-01-01), kept exactly.",
        types=ORDERED,
    )
    rare_minimum: int | None = setting(
        None,
        "Fewest subjects of a category",
        "A category held by fewer root rows is protected; missing means protection.rare_minimum.",
        types=CATEGORIES,
        ge=1,
        unit="root rows",
    )
    rare_share: float = setting(
        0.0,
        "Smallest share of a category",
        "A category with a smaller share (0-1) of root rows is protected.",
        types=CATEGORIES,
        ge=0,
        lt=1,
        unit="share",
        advanced=True,
    )
    rare_replacement: Literal["auto", "invent", "resample", "label", "drop"] = setting(
        "auto",
        "Rare categories become",
        "invent makes texts up; resample draws a kept category instead; label writes rare_label; drop makes "
        "them missing; auto invents where many rows hold one of many texts and no rule reads them, or else "
        "resamples.",
        types=CATEGORIES,
    )
    rare_label: str = setting(
        "_RARE_",
        "Label of rare categories",
        "Text written by rare_replacement: label.",
        types=CATEGORIES,
        visible_when=when(f"{_HERE}rare_replacement", "label"),
    )
    unseen_values: Literal["forbid", "allow"] = setting(
        "forbid",
        "Values outside the source",
        "forbid draws only categories of the source.",
        types=CATEGORIES,
        available_values=("forbid",),
        advanced=True,
    )
    minimum: str | None = setting(
        None,
        "Lower bound",
        "No smaller value is learned or generated; written as in the source.",
        types=ORDERED,
    )
    maximum: str | None = setting(
        None,
        "Upper bound",
        "No larger value is learned or generated; written as in the source.",
        types=ORDERED,
    )
    outlier_quantile: float = setting(
        0.0,
        "Outlier share",
        "Share (0-0.5) of values at each end that counts as outliers.",
        types=ORDERED,
        ge=0,
        lt=0.5,
        unit="share",
        advanced=True,
    )
    outliers: Literal["clip", "impute"] = setting(
        "clip",
        "Outliers become",
        "clip moves them to the bound; impute learns them as unknown.",
        types=ORDERED,
        advanced=True,
    )
    non_negative: bool = setting(
        False, "Not negative", "No value below 0 is learned or generated.", types=NUMBERS
    )
    decimals: int | None = setting(
        None,
        "Decimals",
        "Digits after the decimal mark (0-15); missing means as in the source.",
        types=("numeric", "coordinates"),
        ge=0,
        le=15,
        unit="digits",
    )
    decimal_mark: Literal["auto", "point", "comma"] = setting(
        "auto",
        "Decimal mark",
        "How decimals are written in the source.",
        types=("numeric", "integer"),
        advanced=True,
    )
    format: str | None = setting(
        None,
        "Format",
        "Date format in strftime letters, such as %d/%m/%Y; missing means as detected.",
        types=DATES,
    )
    granularity: Literal["auto", "year", "month", "day", "hour", "minute", "second", "microsecond"] = setting(
        "auto",
        "Granularity",
        "Smallest unit that is generated.",
        types=DATES,
        advanced=True,
    )
    pair: str | None = setting(
        None,
        "Paired column",
        "The column with the other coordinate of the place.",
        types=("coordinates",),
        advanced=True,
    )
    bounding_box: tuple[float, float, float, float] | None = setting(
        None,
        "Bounding box",
        "South, west, north, east in degrees; places outside are not learned or generated.",
        types=("coordinates",),
        unit="degrees",
        advanced=True,
    )
    text_model: bool = setting(
        True, "Text model", "Learn the text; off leaves the column out.", types=("text",), available=False
    )
    maximum_length: int = setting(
        0,
        "Longest text",
        "Characters; 0 is the model's own maximum.",
        types=("text",),
        ge=0,
        available=False,
        unit="characters",
        visible_when=when(f"{_HERE}text_model", True),
    )
    identifier_kind: Literal["auto", "pattern", "email", "phone", "iban", "fiscal_code", "name"] = setting(
        "auto",
        "Kind of identifier",
        "How new identifiers are made; auto follows the shape of the source's.",
        types=("identifier",),
        available_values=("auto",),
    )
    consistent_with: tuple[str, ...] = setting(
        (),
        "Consistent with",
        "Columns that new identifiers must agree with.",
        types=("identifier",),
        available=False,
        advanced=True,
    )
    key_format: Literal["keep", "integer", "uuid"] = setting(
        "keep",
        "Format of keys",
        "keep writes new key values in the source's type and format.",
        available_values=("keep",),
        advanced=True,
    )
