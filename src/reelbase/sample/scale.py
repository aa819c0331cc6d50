"""What a scale means: so many of what the publisher has."""

from __future__ import annotations

import math

from reelbase.errors import UsageError


def checked(scale: float) -> float:
    """The scale, or UsageError where it is no number above 0."""
    if not (math.isfinite(scale) and scale > 0):
        raise UsageError(
            f"The scale {scale} is not a number above 0.", "Scale 1 is a dataset's full size, 0.01 a quick sample."
        )
    return scale


def scaled(count: int, scale: float) -> int:
    """The count in proportion, at least one."""
    return max(1, round(count * checked(scale)))
