"""Ever new worlds near every boundary, each decision compared with the oracle's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from campaigns.tests.oracle.worlds import World, worlds
from campaigns.tests.support.deciding import DecisionTestCase
from campaigns.tests.support.passing import PassingTestCase
from campaigns.tests.support.runs import new_ones
from campaigns.tests.torture.extent import extent

WORLDS = new_ones(extent(short=30, full=2_000))


class NewWorlds(DecisionTestCase):
    @WORLDS
    @given(world=worlds(), data=st.data())
    def test_it_decides_as_the_oracle_at_every_step(self, world: World, data: st.DataObject) -> None:
        self.decide_at_every_step(world, data)

    @WORLDS
    @given(world=worlds())
    def test_it_folds_and_closes_without_changing_a_decision(self, world: World) -> None:
        self.fold_and_close(world)


class NewWorldsBetweenChecks(PassingTestCase):
    @WORLDS
    @given(world=worlds(), data=st.data())
    def test_quick_checks_alone_decide_as_the_oracle_at_every_step(self, world: World, data: st.DataObject) -> None:
        self.pass_at_every_step(world, data)
