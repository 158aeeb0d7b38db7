"""Draw rows given some of their codes, from the same network that draws them freely.

The network gives the chance of each code given those before it, so a code known in the middle weighs what
stands before it. A row whose known codes come first needs no weighing. Others are drawn freely and kept with
the chance of what is known (exact); where that is too small, particles are weighed and resampled column by
column. Source: Gordon, Salmond, Smith, "Novel approach to nonlinear/non-Gaussian Bayesian state estimation",
1993; systematic resampling after Kitagawa, 1996.
Shape letters: R rows, P particles of a row, B = R * P, C sub-columns, K codes, D draws of a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kinsynth.encoded import IntArray, RowArray
from kinsynth.engine.aims import Aims
from kinsynth.engine.apart import Earlier
from kinsynth.engine.context import History
from kinsynth.engine.evenly import Flags, draw_evenly, invert_evenly
from kinsynth.engine.evidence import UNKNOWN, Evidence
from kinsynth.engine.prefix import Columns, Prefix, draw_codes
from kinsynth.engine.staying import Told

CANDIDATES = (4, 8, 32, 128)
PARTICLES = (64, 256)
FEWEST_EFFECTIVE = 6.0
AT_ONCE = 8_192
LATER_DIGITS = 2.0**24
Uniforms = Callable[[str, RowArray, int], NDArray[np.float64]]


@dataclass(frozen=True)
class Begun:
    """Rows that are to be drawn.

    Attributes:
        columns: The network's columns.
        uniforms: Gives numbers for a use, row numbers and draws.
        row_ids: What the randomness of each row hangs on.
        trunk_RT: What parents, earlier rows and links say; None for a root table without links.
        history: The earlier rows; None for a root table.
        earlier: Rows of the same parents that they must differ from; None where no key says so.
        even_R: Uniform numbers that are spread evenly over all rows of the table, for the first code of rows
            that know nothing; None where it is not spread, or rows know something.
        told: Codes that they are told to have or not to have; None for none.
        starts: By column, the numbers with which evenly spread codes go on where the rows before left off.
        aims: How many rows are to hold each code; None where that follows from the chances.
    """

    columns: Columns
    uniforms: Uniforms
    row_ids: RowArray
    trunk_RT: Tensor | None = None
    history: History | None = None
    earlier: Earlier | None = None
    even_R: NDArray[np.float64] | None = None
    told: Told | None = None
    starts: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    aims: Aims | None = None

    def take(self, index: RowArray) -> Begun:
        """Give some of the rows."""
        rows = torch.from_numpy(index)
        trunk_RT = None if self.trunk_RT is None else self.trunk_RT[rows]
        history = None if self.history is None else _take_history(self.history, rows)
        earlier = None if self.earlier is None else self.earlier.take(index)
        even_R = None if self.even_R is None else self.even_R[index]
        told = None if self.told is None else self.told.take(rows)
        return Begun(
            self.columns, self.uniforms, self.row_ids[index], trunk_RT, history, earlier, even_R, told
        )

    def begin(self, copies: int) -> Prefix:
        """Begin so many copies of each row, side by side."""
        if copies == 1:
            return self.columns.begin(
                len(self.row_ids), self.trunk_RT, self.history, earlier=self.earlier, told=self.told
            )
        index = np.repeat(np.arange(len(self.row_ids), dtype=np.int64), copies)
        several = self.take(index)
        return self.columns.begin(
            len(index), several.trunk_RT, several.history, earlier=several.earlier, told=several.told
        )

    def again(self, index: RowArray, told: Told, turn: int) -> Begun:
        """Give some of the rows to be drawn anew, with other random numbers, told more."""

        def others(use: str, row_ids: RowArray, draws: int) -> NDArray[np.float64]:
            return self.uniforms(f"{use} again {turn}", row_ids, draws)

        return replace(self.take(index), uniforms=others, told=told)

    def numbers(self, use: str, copies: int) -> Tensor:
        """Give uniform numbers for so many copies of each row, shape (R * P, C)."""
        drawn_RN = self.uniforms(use, self.row_ids, copies * self.columns.count)
        return torch.from_numpy(drawn_RN.reshape(len(drawn_RN) * copies, self.columns.count)).float()

    def spread(self, use: str, copies: int) -> Tensor:
        """Give uniform numbers; the copies of a row have one in each part of [0, 1), shape (R * P, C).

        A Latin hypercube: each number is uniform by itself, and what a row draws of a column is spread as
        evenly as can be. Source: McKay, Beckman, Conover, "A comparison of three methods", 1979.
        """
        drawn_RN = self.uniforms(use, self.row_ids, copies * self.columns.count)
        spread_RPC = _spread(drawn_RN.reshape(len(self.row_ids), copies, self.columns.count))
        return torch.from_numpy(spread_RPC.reshape(len(drawn_RN) * copies, self.columns.count)).float()


def _spread(drawn_RPC: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn numbers that are uniform by themselves into as many of which one is in each part of [0, 1)."""
    part_RPC = np.argsort(drawn_RPC, axis=1, kind="stable")
    # The later digits of a number say nothing about its rank.
    return np.asarray((part_RPC + drawn_RPC * LATER_DIGITS % 1.0) / drawn_RPC.shape[1])


def _take_history(history: History, rows: Tensor) -> History:
    return History(
        history.previous_BC[rows],
        history.known_B[rows],
        history.index_B[rows],
        history.remaining_B[rows],
        history.span_B[rows],
    )


def draw_freely(begun: Begun) -> Tensor:
    """Draw rows of which nothing is known, shape (R, C).

    A row depends on its own number alone, but for the codes that are spread evenly over all rows given.
    """
    drawn_RC = begun.uniforms("codes", begun.row_ids, begun.columns.count)
    prefix, uniform_RC = begun.begin(1), torch.from_numpy(drawn_RC).float()
    for c, barred_K in enumerate(begun.columns.barred):
        logits_RK, even_K = prefix.logits(c) + barred_K, begun.columns.even[c]
        if even_K is None or not len(logits_RK):
            prefix.put(c, draw_codes(logits_RK, uniform_RC[:, c]))
        else:
            before = _spread_before(begun.columns.even, prefix, c)
            prefix.put(c, _draw_evenly(begun, c, even_K, logits_RK, drawn_RC[:, c], before=before))
    return prefix.codes_BC


def _draw_evenly(
    begun: Begun,
    column: int,
    even_K: Flags,
    logits_RK: Tensor,
    drawn_R: NDArray[np.float64],
    *,
    before: Sequence[RowArray],
) -> Tensor:
    """Draw the codes of one column so that they are spread evenly, shape (R,).

    The first code of rows that know nothing has one distribution: it is spread over all rows of the table.
    Others are over the rows given, and over those of them that have the same codes ``before``: so two numbers
    of child rows go together as the chances say.
    """
    use = f"even {column}"
    alone_R = begun.uniforms(f"{use} alone", begun.row_ids, 1)[:, 0]
    if column == 0 and begun.even_R is not None and begun.aims is None:
        chance_K = _chances(logits_RK[:1], len(even_K))[0]
        return torch.from_numpy(invert_evenly(chance_K, even_K, begun.even_R, alone_R))
    if column not in begun.starts:
        begun.starts[column] = begun.uniforms(f"{use} start", begun.row_ids[:1], len(even_K) + 1)[0]
    chance_RK, uniform_R2 = _chances(logits_RK, len(even_K)), np.stack([drawn_R, alone_R], 1)
    chance_RK = chance_RK if begun.aims is None else begun.aims.change(column, chance_RK)
    return torch.from_numpy(draw_evenly(chance_RK, even_K, uniform_R2, begun.starts[column], before=before))


def _spread_before(even: Sequence[Flags | None], prefix: Prefix, column: int) -> list[RowArray]:
    """Give the codes of the evenly spread columns before one, those of the fewest codes last."""
    spread = [(len(even_K), c) for c, even_K in enumerate(even[:column]) if even_K is not None]
    return [prefix.codes_BC[:, c].numpy() for _, c in sorted(spread, reverse=True)]


def _chances(logits_RK: Tensor, codes: int) -> NDArray[np.float64]:
    """Give chances from padded logits."""
    chance_RK: NDArray[np.float64] = torch.softmax(logits_RK.double(), 1).numpy()[:, :codes]
    return chance_RK


def draw_given(begun: Begun, evidence: Evidence) -> IntArray:
    """Draw rows given what is known of them, shape (R, C).

    Guarantees:
        Known codes come back. A row depends on its own number and evidence alone.
    """
    codes_RC = np.empty(evidence.known_RC.shape, dtype=np.int32)
    hard_R = evidence.counted().any(axis=1)
    for part in _parts(np.flatnonzero(~hard_R), 1):
        codes_RC[part] = _walk(begun.take(part), evidence.take(part), 1, "codes")[0].numpy()
    left = _draw_candidates(begun, evidence, np.flatnonzero(hard_R), codes_RC)
    for particles in PARTICLES:
        scarce = np.zeros(len(left), dtype=bool)
        for part, place in _parts_of(left, particles):
            drawn_RDC, effective_R = _draw_particles(begun.take(part), evidence.take(part), particles, 1)
            codes_RC[part] = drawn_RDC[:, 0].numpy()
            scarce[place] = effective_R.numpy() < FEWEST_EFFECTIVE
        left = left[scarce]
    return codes_RC


def draw_several(begun: Begun, evidence: Evidence, draws: int) -> IntArray:
    """Draw each row several times given what is known of it, shape (R, D, C).

    The draws of a row share particles, so together they are a sample of what the row may be.
    """
    codes_RDC = np.empty((len(evidence.known_RC), draws, begun.columns.count), dtype=np.int32)
    for part in _parts(np.arange(len(codes_RDC)), draws):
        drawn_RDC, _ = _draw_particles(begun.take(part), evidence.take(part), draws, draws)
        codes_RDC[part] = drawn_RDC.numpy()
    return codes_RDC


def _draw_candidates(begun: Begun, evidence: Evidence, left: RowArray, codes_RC: IntArray) -> RowArray:
    """Draw rows freely and keep one with the chance of what is known of it; give the rows without one.

    A row whose known codes are too unlikely to be met by the most candidates is given up at once.
    """
    given_up = [np.zeros(0, dtype=np.int64)]
    for candidates in CANDIDATES:
        met, likely = np.zeros(len(left), dtype=bool), np.zeros(len(left), dtype=bool)
        for part, place in _parts_of(left, candidates):
            rows = begun.take(part)
            use = f"candidates {candidates}"
            drawn_BC, weight_RP, _ = _walk(rows, evidence.take(part), candidates, use)
            chance_RP = weight_RP.exp().numpy()
            kept_RP = rows.uniforms(f"{use} kept", rows.row_ids, candidates) < chance_RP
            met[place] = kept_RP.any(axis=1)
            likely[place] = chance_RP.mean(axis=1) * CANDIDATES[-1] >= 1
            chosen = kept_RP.argmax(axis=1)[met[place]]
            drawn_RPC = drawn_BC.numpy().reshape(len(part), candidates, drawn_BC.shape[1])[met[place]]
            codes_RC[part[met[place]]] = drawn_RPC[np.arange(len(chosen)), chosen]
        given_up.append(left[~met & ~likely])
        left = left[~met & likely]
    return np.sort(np.concatenate([*given_up, left]))


def _draw_particles(begun: Begun, evidence: Evidence, particles: int, draws: int) -> tuple[Tensor, Tensor]:
    """Draw rows by weighing and resampling: codes, shape (R, D, C), and the fewest effective particles."""
    use = f"particles {particles}"
    codes_BC, weight_RP, effective_R = _walk(begun, evidence, particles, use, resampled=True)
    start_R = torch.from_numpy(begun.uniforms(f"{use} drawn", begun.row_ids, 1)[:, 0])
    chosen_RD = _systematic(weight_RP, start_R, draws)
    codes_RPC = codes_BC.view(len(weight_RP), particles, codes_BC.shape[1])
    drawn_RDC = codes_RPC.gather(1, chosen_RD.unsqueeze(2).expand(-1, -1, codes_RPC.shape[2]))
    return drawn_RDC, effective_R


def _walk(
    begun: Begun, evidence: Evidence, copies: int, use: str, *, resampled: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw copies of rows, known codes put where they are known.

    Returns:
        Codes (R * P, C), log-weights (R, P), and the fewest effective particles on the way (R,).
    """
    rows = len(begun.row_ids)
    prefix = begun.begin(copies)
    uniform_BC = begun.spread(use, copies) if resampled else begun.numbers(use, copies)
    start_RC = torch.from_numpy(begun.uniforms(f"{use} resampled", begun.row_ids, begun.columns.count))
    counted_RC = evidence.counted()
    weight_RP = torch.zeros(rows, copies)
    fewest_R = torch.full((rows,), float(copies))
    for c in range(begun.columns.count):
        settled = _Settled(begun.columns, evidence, c, copies)
        code_B, gain_B = settled.draw(prefix.logits(c), uniform_BC[:, c])
        prefix.put(c, code_B)
        if not counted_RC[:, c].any():
            continue
        weight_RP = weight_RP + gain_B.view(rows, copies) * torch.from_numpy(counted_RC[:, c, None])
        effective_R = _effective(weight_RP)
        fewest_R = torch.minimum(fewest_R, effective_R)
        if resampled and copies > 1:
            _resample(prefix, weight_RP, effective_R, start_RC[:, c], columns=c + 1)
    return prefix.codes_BC, weight_RP, fewest_R


class _Settled:
    """How the codes of one column are drawn where some are known."""

    def __init__(self, columns: Columns, evidence: Evidence, column: int, copies: int) -> None:
        self._barred_K = columns.barred[column]
        known_R = torch.from_numpy(evidence.known_RC[:, column].astype(np.int64))
        self._known_B = known_R.repeat_interleave(copies)
        self._barred_BK: Tensor | None = None
        if evidence.shares is not None and evidence.shares.sub_column == column:
            allowed_GK = torch.from_numpy(evidence.shares.allowed_GK)
            barred_GK = torch.full((len(allowed_GK) + 1, len(self._barred_K)), -torch.inf)
            barred_GK[:-1, : allowed_GK.shape[1]][allowed_GK] = 0.0
            barred_GK[-1] = 0.0  # group -1: any code
            group_B = torch.from_numpy(evidence.group_R).repeat_interleave(copies)
            self._barred_BK = barred_GK[group_B]

    def draw(self, logits_BK: Tensor, uniform_B: Tensor) -> tuple[Tensor, Tensor]:
        """Give codes and the log-chance of what is known of them, both of shape (B,)."""
        free_BK = logits_BK + self._barred_K
        held_BK = free_BK if self._barred_BK is None else free_BK + self._barred_BK
        code_B = draw_codes(held_BK, uniform_B)
        known_B = self._known_B != UNKNOWN
        if self._barred_BK is None and not known_B.any():
            return code_B, torch.zeros(len(code_B))
        total_B = free_BK.logsumexp(1)
        gain_B = held_BK.logsumexp(1) - total_B
        code_B = torch.where(known_B, self._known_B, code_B)
        own_B = logits_BK.gather(1, code_B.unsqueeze(1)).squeeze(1)
        # A code that is never drawn may still be known: its chance is one among those that are drawn.
        never_B = torch.isinf(self._barred_K)[code_B]
        total_B = torch.where(never_B, torch.logaddexp(total_B, own_B), total_B)
        return code_B, torch.where(known_B, own_B - total_B, gain_B)


def _effective(weight_RP: Tensor) -> Tensor:
    """Give the effective number of particles, shape (R,)."""
    share_RP = torch.softmax(weight_RP, 1)
    return 1 / share_RP.square().sum(1)


def _resample(
    prefix: Prefix, weight_RP: Tensor, effective_R: Tensor, start_R: Tensor, *, columns: int
) -> None:
    """Replace the particles of rows with few effective ones by copies of heavy ones; weights become equal."""
    copies = weight_RP.shape[1]
    few = torch.nonzero(effective_R < copies / 2).squeeze(1)
    if not len(few):
        return
    chosen_RP = _systematic(weight_RP[few], start_R[few], copies)
    first_R1 = few.unsqueeze(1) * copies
    into = (first_R1 + torch.arange(copies)).flatten()
    prefix.copy_rows(into, (first_R1 + chosen_RP).flatten(), columns=columns)
    weight_RP[few] = 0.0


def _systematic(weight_RP: Tensor, start_R: Tensor, draws: int) -> Tensor:
    """Choose particles in proportion to their weights, evenly spread, shape (R, D)."""
    ends_RP = torch.softmax(weight_RP.double(), 1).cumsum(1)
    ends_RP[:, -1] = 1.0
    wanted_RD = (start_R.unsqueeze(1) + torch.arange(draws)) / draws
    return torch.searchsorted(ends_RP, wanted_RD, right=True).clamp_(max=weight_RP.shape[1] - 1)


def _parts(index: RowArray, copies: int) -> Iterator[RowArray]:
    """Cut rows into parts of at most so many particles."""
    step = max(1, AT_ONCE // copies)
    for start in range(0, len(index), step):
        yield index[start : start + step]


def _parts_of(index: RowArray, copies: int) -> Iterator[tuple[RowArray, slice]]:
    """Cut rows into parts, with the place of each part."""
    done = 0
    for part in _parts(index, copies):
        yield part, slice(done, done + len(part))
        done += len(part)
