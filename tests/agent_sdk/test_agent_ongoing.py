"""What has started on a connection and not ended."""

from otel_claude.agent_sdk.ongoing import Ongoing
from otel_claude.agent_sdk.runs import Run


def test_it_is_settled_while_no_turn_goes_on():
    ongoing, turn = Ongoing(), Run(0)
    assert ongoing.is_settled
    ongoing.start_turn(turn)
    assert not ongoing.is_settled
    ongoing.end_turn(turn, 1, "completed", None)
    assert ongoing.is_settled
