"""Facts and checks in, findings out. Pure: no clock, no network, no files."""

from fleetscan.judge.diagnosis import diagnose
from fleetscan.judge.judge import judge

__all__ = ["diagnose", "judge"]
