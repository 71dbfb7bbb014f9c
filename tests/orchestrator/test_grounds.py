"""What a choice rests on, as a person reads it: experiments by their numbers."""

from __future__ import annotations

from orchestrator.report.grounds import as_lines, as_markdown
from planners.proposal import Grounds, Observation

KNOWN = [
    (4, Observation(values={"dwell": 2.0}, outcomes={"hardness": 1.0})),
    (7, Observation(values={"dwell": 3.5}, outcomes={"hardness": 2.0})),
]
GROUNDS = Grounds(
    reduces=("hardness there is known to ± 0.4 GPa.",),
    evidence=("Most telling for hardness was the experiment at {dwell = 3.5}, which gave 2 GPa.",),
    would_change=("{dwell = 9} promised 42% of it.",),
)


def test_experiments_are_called_by_number_and_other_points_by_their_settings() -> None:
    text = as_markdown(GROUNDS, KNOWN)
    assert "Most telling for hardness was experiment 7, which gave 2 GPa." in text
    assert "{dwell = 9} promised" in text


def test_empty_parts_have_no_heading() -> None:
    lines = as_lines(GROUNDS.model_copy(update={"evidence": ()}), KNOWN)
    assert [line.strip() for line in lines if "·" not in line] == [
        "it would make surer",
        "what would have changed it",
    ]
    assert as_lines(Grounds(), KNOWN) == []
