"""How many generated examples a test takes: always the same few in `make test`, ever new ones in `make torture`."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

STEPS = 50
COMMON = settings(
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def the_same(examples: int, *, steps: int = STEPS) -> settings:
    """Return settings for so many examples, the same at each run; steps is that of a state machine."""
    return settings(COMMON, max_examples=examples, stateful_step_count=steps, derandomize=True, database=None)


def new_ones(examples: int, *, steps: int = STEPS) -> settings:
    """Return settings for so many new examples; one that fails is kept in .hypothesis and tried first the next time."""
    return settings(COMMON, max_examples=examples, stateful_step_count=steps, derandomize=False, print_blob=True)
