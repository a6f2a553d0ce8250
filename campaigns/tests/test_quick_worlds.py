"""Between full checks, quick passes alone keep every campaign as the oracle says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from campaigns.tests.passing import PassingTestCase
from campaigns.tests.runs import the_same
from campaigns.tests.worlds import World, worlds


class QuickPassesAlone(PassingTestCase):
    @the_same(60)
    @given(world=worlds(), data=st.data())
    def test_they_decide_as_the_oracle_at_every_step(self, world: World, data: st.DataObject) -> None:
        self.pass_at_every_step(world, data)
