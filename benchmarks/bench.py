"""What all parts are given: the sizes, and worlds that are made when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.databases import Databases
from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from benchmarks.world import World, make_world


@dataclass
class Measured:
    """What a part has found."""

    figures: list[Figure]
    # Rows of a longer table, its heads first.
    table: list[list[str]] = field(default_factory=list)


@dataclass
class Bench:
    sizes: Sizes
    databases: Databases
    say: Callable[[str], None] = lambda text: None
    """Tells a terminal what is going on."""

    def large_world(self) -> World:
        return World(self.sizes.brands, self.sizes.days)

    @contextmanager
    def inside(self, world: World) -> Iterator[World]:
        """Let the database of a world be the default one; a world stays as the part before has left it."""
        if world.label not in self.databases.made:
            self.say(f"making {world.campaigns:,} campaigns with {world.days} days of totals")
            self.databases.create(world.label)
            with self.databases.use(world.label):
                make_world(world)
        with self.databases.use(world.label):
            yield world

    def forget(self, world: World) -> None:
        """Give its space back."""
        self.databases.drop(world.label)
