"""Load over time: the journal of samples, and the arithmetic that makes a report of it. Knows no network."""

from fleetscan.profile.journal import Contents, Journal, Plan, read_journal
from fleetscan.profile.planner import planner_list
from fleetscan.profile.summary import Wishes, summarize

__all__ = ["Contents", "Journal", "Plan", "Wishes", "planner_list", "read_journal", "summarize"]
