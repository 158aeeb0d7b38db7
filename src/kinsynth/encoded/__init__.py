"""Encoded: the narrow waist between column people and model people.

Integers only: no names of columns, no values, no types. ``columns`` writes it, ``engine`` reads it and
draws new ones. Array names end in their shape letters: R rows, C sub-columns, K codes.
"""

from kinsynth.encoded.pointer import (
    AGREEING,
    FIRST_GROUP,
    ITSELF,
    NONE,
    OWNER,
    Ending,
    Grouping,
    Link,
    Path,
    Pointer,
)
from kinsynth.encoded.sequence import (
    ALWAYS,
    ANY,
    AS_BEFORE,
    ChildCount,
    Stay,
)
from kinsynth.encoded.sub_column import (
    CodeArray,
    FloatArray,
    IntArray,
    RowArray,
    SubColumn,
    Together,
    code_type,
)
from kinsynth.encoded.table import Encoded, EncodedParts, EncodedTable, mark_alone

__all__ = [
    "AGREEING",
    "ALWAYS",
    "ANY",
    "AS_BEFORE",
    "FIRST_GROUP",
    "ITSELF",
    "NONE",
    "OWNER",
    "ChildCount",
    "CodeArray",
    "Encoded",
    "EncodedParts",
    "EncodedTable",
    "Ending",
    "FloatArray",
    "Grouping",
    "IntArray",
    "Link",
    "Path",
    "Pointer",
    "RowArray",
    "Stay",
    "SubColumn",
    "Together",
    "code_type",
    "mark_alone",
]
