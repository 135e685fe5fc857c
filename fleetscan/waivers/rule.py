"""A waiver with what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from fleetscan.model.finding import Finding, Status
from fleetscan.model.waiver import Waiver

WAIVABLE = (Status.FAIL, Status.WARN)
"""What can be answered for: what is known not to be as it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A waiver, the findings that it is for, and the place where it stands."""

    waiver: Waiver
    check: str
    """The id of a check, or a glob."""
    host: str
    """A host pattern."""
    object: str
    """The name or id of an object, or a glob; upper and lower case are the same."""
    timezone: str
    """The IANA name of the zone in which its last day ends."""
    origin: str
    """`file:line:column`"""

    def days_left(self, moment: datetime) -> int:
        """Whole days until its last one: 0 on that day, less than 0 when it has expired."""
        return (self.waiver.expires - moment.astimezone(ZoneInfo(self.timezone)).date()).days

    def covers(self, finding: Finding) -> bool:
        """Whether it is for the check and the object of the finding, whose host is not looked at."""
        return self.covers_check(finding.check_id) and self._covers_object(finding)

    def covers_check(self, check_id: str) -> bool:
        """Whether it is for that check."""
        return fnmatchcase(check_id, self.check)

    def _covers_object(self, finding: Finding) -> bool:
        wanted = self.object.casefold().strip("{}")
        names = (finding.object_name.casefold(), finding.object_id.casefold())
        return wanted == "*" or wanted in names or any(fnmatchcase(name, wanted) for name in names)
