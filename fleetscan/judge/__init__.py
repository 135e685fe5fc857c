"""Facts and checks in, findings out. Pure: no clock, no network, no files."""

from fleetscan.judge.conclusion import conclude, moved
from fleetscan.judge.diagnosis import diagnose
from fleetscan.judge.judge import HOSTS, judge
from fleetscan.judge.measures import against

__all__ = ["HOSTS", "against", "conclude", "diagnose", "judge", "moved"]
