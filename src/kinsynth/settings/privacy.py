"""How much one subject may influence the result."""

from __future__ import annotations

from kinsynth.settings.base import Settings, setting
from kinsynth.settings.visibility import all_of, when

_ON = when("differential_privacy.enabled", True)


class DifferentialPrivacy(Settings):
    """Training with a proven privacy budget."""

    enabled: bool = setting(False, "Differential privacy", "Train within a privacy budget.", available=False)
    epsilon: float | None = setting(
        None,
        "Privacy budget epsilon",
        "At most 1 is strong, up to 10 medium, above weak.",
        gt=0,
        le=100,
        available=False,
        visible_when=_ON,
    )
    delta: float | None = setting(
        None,
        "Privacy budget delta",
        "Well below 1 / number of subjects.",
        gt=0,
        lt=1,
        available=False,
        visible_when=_ON,
    )
    noise_multiplier: float = setting(
        1.0,
        "Noise multiplier",
        "Standard deviation of the noise in units of max_norm.",
        gt=0,
        available=False,
        visible_when=_ON,
    )
    max_norm: float = setting(
        1.0,
        "Maximum gradient norm",
        "Largest L2 norm of one subject's gradient.",
        gt=0,
        available=False,
        visible_when=_ON,
    )
    max_physical_batch_size: int = setting(
        0,
        "Maximum (physical) batch size",
        "Most subjects held in memory at once; 0 means no limit.",
        ge=0,
        available=False,
        unit="subjects",
        visible_when=all_of(_ON, when("training.auto_batching", False)),
    )


class Protection(Settings):
    """Removal of rare and extreme values before anything is learned, counted per root row."""

    rare_minimum: int = setting(
        5,
        "Fewest subjects of a value",
        "A category held by fewer root rows never leaves the source.",
        ge=1,
        le=1_000,
        unit="root rows",
    )
    extreme_minimum: int = setting(
        5,
        "Subjects beyond a bound",
        "The smallest and largest value learned are at least this many root rows away from the end.",
        ge=1,
        le=1_000,
        unit="root rows",
    )
