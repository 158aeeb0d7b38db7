"""Blocks of columns: which inputs the outputs of a block may see. No torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

BLOCK_COLUMNS = 12
MOST_BLOCKS = 8


@dataclass(frozen=True)
class Block:
    """Consecutive columns whose outputs are computed at once.

    Attributes:
        begin: The first column.
        end: The column after the last.
    """

    begin: int
    end: int

    @property
    def columns(self) -> int:
        """Number of columns."""
        return self.end - self.begin


def cut_blocks(columns: int) -> Iterator[Block]:
    """Cut columns into blocks of about equal size.

    >>> list(cut_blocks(24))
    [Block(begin=0, end=12), Block(begin=12, end=24)]
    """
    blocks = max(1, min(MOST_BLOCKS, columns // BLOCK_COLUMNS))
    ends = [columns * (number + 1) // blocks for number in range(blocks)]
    for begin, end in zip([0, *ends], ends, strict=False):
        yield Block(begin, end)


def block_weights(columns: int, inputs: int, outputs: int) -> int:
    """Count the weights of all blocks.

    Args:
        columns: Number of columns.
        inputs: Inputs of each column.
        outputs: Outputs of each column.

    >>> block_weights(24, 2, 4)
    3456
    """
    return sum(block.end * inputs * block.columns * outputs for block in cut_blocks(columns))
