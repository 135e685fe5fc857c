"""Finds hosts by one term of a pattern: a name, a group, a glob, a range, a slice, an attribute."""

from __future__ import annotations

import fnmatch
import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence

from fleetscan.inventory.expand import RangeError, expand
from fleetscan.inventory.schema import is_ip
from fleetscan.model.host import Host
from fleetscan.model.text import one_line
from fleetscan.suggest import did_you_mean

_RANGE = re.compile(r"\[\w+:\w+(?::\d+)?\]", re.ASCII)
_FOLDED = re.compile(r"\[(?=[^\]]*\d\d)(?=[^\]]*[-,])(\d{1,9}(?:-\d{1,9})?(?:,\d{1,9}(?:-\d{1,9})?)*)\]", re.ASCII)
"""`[01-02,04]`, as reports fold names. Of single digits it is a glob, which means the same."""
_SLICE = re.compile(r"(?P<base>[^\[\]]+)\[(?P<first>-?\d*)(?P<colon>:?)(?P<last>-?\d*)\]", re.ASCII)
_ATTRIBUTES: dict[str, Callable[[Host], Iterable[str]]] = {
    "role": lambda host: host.roles,
    "zone": lambda host: (host.zone,),
    "cluster": lambda host: (host.cluster,),
}
_MAX_SUGGESTIONS = 20
"""Suggestions cost time: after so many wrong terms the file is the wrong one."""


class NoMatchError(ValueError):
    """A term means no host. `cure` says what may have been meant."""

    def __init__(self, message: str, cure: str) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure


class Lookup:
    """Finds the indexes of hosts. Upper and lower case are the same."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        self._hosts = hosts
        self._names: dict[str, set[int]] = {}
        self._shorts: dict[str, set[int]] = {}
        self._addresses: dict[str, set[int]] = {}
        self._groups: dict[str, set[int]] = {}
        self._suggestions = 0
        for index, host in enumerate(hosts):
            short = host.name if is_ip(host.name) else host.name.partition(".")[0]
            self._names.setdefault(_key(host.name), set()).add(index)
            self._shorts.setdefault(_key(short), set()).add(index)
            self._addresses.setdefault(_key(host.address), set()).add(index)
            for group in host.groups:
                self._groups.setdefault(_key(group), set()).add(index)

    def find(self, term: str) -> set[int]:
        """The hosts that a term means: at least one; raises NoMatchError."""
        key = _key(term)
        if key in ("all", "*"):
            return set(range(len(self._hosts)))
        exact = self._groups.get(key) or self._names.get(key) or self._short(term) or self._addresses.get(key)
        return exact or self._compound(term)

    def _short(self, term: str) -> set[int]:
        found = self._shorts.get(_key(term), set())
        if len(found) > 1:
            names = ", ".join(self._hosts[index].name for index in sorted(found)[:3])
            raise NoMatchError(f'"{one_line(term)}" is the short name of {len(found)} hosts', f"write one of {names}")
        return found

    def _compound(self, term: str) -> set[int]:
        name, equals, value = term.partition("=")
        if equals:
            return self._attribute(term, name.strip().casefold(), value.strip())
        match = _SLICE.fullmatch(term)
        if match and (match["base"].casefold() == "all" or _key(match["base"]) in self._groups):
            return self._slice(term, match)
        if _RANGE.search(term):
            return self._range(term)
        folded = _FOLDED.search(term)
        if folded:
            return self._unfolded(term, folded)
        found = self._glob(term) if re.search(r"[*?\[]", term) else set()
        if not found:
            raise self._no_match(term)
        return found

    def _attribute(self, term: str, name: str, value: str) -> set[int]:
        if name not in _ATTRIBUTES:
            cure = did_you_mean(name, _ATTRIBUTES) or f"write {', '.join(f'{known}=…' for known in _ATTRIBUTES)}"
            raise NoMatchError(f'"{one_line(name)}" is nothing to select by', cure)
        read = _ATTRIBUTES[name]
        matches = _matcher(value)
        found = {index for index, host in enumerate(self._hosts) if value and any(map(matches, read(host)))}
        if not found:
            there = sorted({text for host in self._hosts for text in read(host) if text})
            raise NoMatchError(f'"{one_line(term)}" matches no host', did_you_mean(value, there, f"{name}:"))
        return found

    def _slice(self, term: str, match: re.Match[str]) -> set[int]:
        members = sorted(self.find(match["base"]))
        first = int(match["first"] or 0)
        last = int(match["last"] or -1) if match["colon"] else first
        first, last = (index + len(members) if index < 0 else index for index in (first, last))
        found = set(members[max(first, 0) : last + 1]) if match["first"] or match["colon"] else set()
        if not found:
            cure = f"{match['base']} has {len(members)} hosts, numbered from 0"
            raise NoMatchError(f'"{one_line(term)}" matches no host', cure)
        return found

    def _range(self, term: str) -> set[int]:
        try:
            names = expand(term)
        except RangeError as error:
            raise NoMatchError(one_line(error.message), one_line(error.cure)) from error
        return set().union(*(self.find(name) for name in names))

    def _unfolded(self, term: str, folded: re.Match[str]) -> set[int]:
        found: set[int] = set()
        for part in folded[1].split(","):
            first, dash, last = part.partition("-")
            text = f"[{first}:{last}]" if dash else part
            found |= self.find(term[: folded.start()] + text + term[folded.end() :])
        return found

    def _glob(self, term: str) -> set[int]:
        matches = _matcher(term)
        found = {index for index, host in enumerate(self._hosts) if matches(host.name)}
        for names in (self._shorts, self._groups):
            found.update(*(members for name, members in names.items() if matches(name)))
        return found

    def _no_match(self, term: str) -> NoMatchError:
        message = f'"{one_line(term, 200)}" matches no host or group'
        self._suggestions += 1
        if self._suggestions > _MAX_SUGGESTIONS:
            return NoMatchError(message, "")
        roles = {role for host in self._hosts for role in host.roles}
        if term in roles:
            return NoMatchError(message, f"write role={term} for the hosts of this role")
        known = [*self._groups, *self._names, *self._shorts]
        return NoMatchError(message, did_you_mean(term, known) or "`fleetscan inventory list` shows what there is")


def _key(text: str) -> str:
    """The spelling by which names and addresses are compared."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    return str(ipaddress.ip_address(bare)) if is_ip(bare) else text.casefold()


def _matcher(glob: str) -> Callable[[str], bool]:
    match = re.compile(fnmatch.translate(glob.casefold())).match
    return lambda text: match(text.casefold()) is not None
