"""Facts and checks in, findings out. Pure: no clock, no network, no files."""

from fleetscan.judge.judge import judge

__all__ = ["judge"]
