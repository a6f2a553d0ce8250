"""Between full checks, quick checkes alone keep every campaign as the oracle says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from campaigns.tests.oracle.worlds import World, worlds
from campaigns.tests.support.passing import PassingTestCase
from campaigns.tests.support.runs import the_same


class QuickPassesAlone(PassingTestCase):
    @the_same(60)
    @given(world=worlds(), data=st.data())
    def test_they_decide_as_the_oracle_at_every_step(self, world: World, data: st.DataObject) -> None:
        self.pass_at_every_step(world, data)
