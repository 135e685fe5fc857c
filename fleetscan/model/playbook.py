"""Playbooks, as the judge and the scan see them: loaded, validated, compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

from fleetscan.model.diagnosis import DiagnosisRule
from fleetscan.model.host import Role

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"


class Severity(StrEnum):
    """How much a failing check matters, most first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for critical … 4 for info."""
        return list(Severity).index(self)


class ObjectType(StrEnum):
    """What one finding is about."""

    HOST = "host"
    VM = "vm"
    GUEST = "guest"
    DISK = "disk"
    FLEET = "fleet"


class Language(StrEnum):
    """What a probe is written in."""

    POWERSHELL = "powershell"
    SH = "sh"


class Bound(Protocol):
    """Variables made ready for expressions; opaque to everybody but the engine that made it."""


class Expression(Protocol):
    """A compiled expression. `position` is `file:line` of its text."""

    @property
    def source(self) -> str: ...

    @property
    def position(self) -> str: ...

    def evaluate(self, bound: Bound) -> JSON:
        """Compute the value; raises ExpressionError for what CEL calls an error."""
        ...


class Template(Protocol):
    """A text with `{expression}` parts."""

    @property
    def source(self) -> str: ...

    def render(self, bound: Bound) -> str:
        """The text with its parts filled in; a part that cannot be computed shows as `?`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What to do about a failure, and the action that fleetscan could plan for it."""

    text: Template
    action: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """A dated list of versions or limits that checks compare with: on which day (or in which month) who said so."""

    id: str
    as_of: str
    """`2026-01` or `2026-01-31`"""
    source: str
    """Where the numbers come from: the address of a page, or who has set them."""
    origin: str = ""
    """The file."""

    @property
    def variable(self) -> str:
        """The name of the list in expressions, below `data`: the id with `_` for `-`."""
        return self.id.replace("-", "_")

    def months_old(self, moment: datetime) -> int:
        """Whole months from the list's date to that moment; a month without a day counts from its first."""
        year, month, *day = (int(part) for part in self.as_of.split("-"))
        months = (moment.year - year) * 12 + moment.month - month
        return months - 1 if day and moment.day < day[0] else months


class Relation(StrEnum):
    """Which hosts of a run belong together, for a check that looks across hosts."""

    CLUSTER = "cluster"
    """Those with the same `cluster` in the inventory, the host itself among them."""
    VMM_SERVER = "vmm_server"
    """Those with the same `vmm_server` in the inventory, the host itself among them."""
    SEEN = "seen"
    """Those that list the same object, the host itself among them."""
    GUEST = "guest"
    """Those that say that they are the virtual machine which the finding is about."""
    MACHINE = "machine"
    """Those that list the guest of the finding as a virtual machine. What they say helps, and nothing waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Across:
    """What a check compares when all hosts have been visited."""

    hosts: tuple[Relation, ...]
    checks: tuple[str, ...]
    """Checks of hosts (with `machine`, of the machine, too) whose findings there the expressions read."""
    named: Expression | None = None
    """A list of further hosts, by the names that the host itself knows them by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule. `when` decides whether there is anything to judge; then `pass`, `warn`, `fail` in that order."""

    id: str
    title: str
    why: str
    article: tuple[str, ...]
    roles: tuple[Role, ...]
    object: ObjectType
    severity: Severity
    probes: tuple[str, ...]
    passes: Expression
    when: Expression | None = None
    warns: Expression | None = None
    fails: Expression | None = None
    observed: Expression | None = None
    expected: Template | None = None
    message: Template | None = None
    remedy: Remedy
    reference: str
    tags: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    """The ids of the dated lists that its expressions read."""
    across: Across | None = None
    """Set for a check that is judged when all hosts have been visited."""
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question to a host. `validate` checks an answer against the declared shape and returns it typed.

    `validate` takes what the host sent (for `sh` a flat mapping of dotted names to texts) and raises ProbeError.
    """

    id: str
    title: str
    language: Language
    roles: tuple[Role, ...]
    needs: str
    """The right or group that the question needs, for people: shown when a host refuses it."""
    timeout: int
    """Seconds that the question may take before it counts as hung."""
    order: int
    """Cheap questions first: a slow one then delays nothing that was ready."""
    text: str
    shape: Mapping[str, JSON]
    validate: Callable[[JSON], dict[str, JSON]]
    totals: bool = False
    """Whether its answer has running totals: only a second reading makes rates of them."""
    connects: Mapping[Role, tuple[str, ...]] = field(default_factory=dict)
    """The names that it tries to reach, by the role of the host: `name` or `*.name`, with `:port` if not 443."""
    origin: str = ""

    @property
    def variable(self) -> str:
        """The name of the answer in expressions: the id with `_` for `-`."""
        return self.id.replace("-", "_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """A read-only set of checks with the probes that feed them."""

    name: str
    title: str
    version: str
    checks: tuple[Check, ...]
    probes: Mapping[str, Probe]
    bind: Callable[[Mapping[str, JSON]], Bound]
    """Make variables ready for the expressions of this playbook. They hold no nulls, so that `?.` covers those."""
    diagnoses: tuple[DiagnosisRule, ...] = ()
    articles: Mapping[str, str] = field(default_factory=dict)
    """Item id → what the article asks, for the coverage table."""
    measures: Mapping[str, str] = field(default_factory=dict)
    """Item id → the command that measures it over time."""
    data: tuple[DataSource, ...] = ()
    """The dated lists that the checks read."""
    lists: Mapping[str, JSON] = field(default_factory=dict)
    """Their values, by the names that expressions have for them."""
    origin: str = ""
