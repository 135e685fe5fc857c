"""The Ansible source: what `ansible-inventory --list` prints.

Variables are those that Ansible documents for its connection plugins winrm, psrp and ssh, plus `fleetscan_<setting>`
for what Ansible has no word for. Users, passwords and keys in the variables are never used.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fleetscan.errors import InputError, Problem
from fleetscan.inventory.ansible_variables import entry_of, is_detour, is_login
from fleetscan.inventory.draft import Draft, GroupDraft, OnePlace, Place, Setting, hosts_of
from fleetscan.inventory.schema import RESERVED_GROUPS, GroupNames, HostEntry
from fleetscan.model.host import Role
from fleetscan.validate import check, rest

_PRINT = "print it with `ansible-inventory --list`"


class _Meta(BaseModel):
    hostvars: dict[str, dict[str, Any]]


class _Group(BaseModel):
    hosts: list[str] = []
    children: list[str] = []
    vars: dict[str, Any] | None = None


def looks_like_ansible(text: str) -> bool:
    """Whether a text is JSON, and has the part that only Ansible writes."""
    return text.lstrip().startswith("{") and '"_meta"' in text


def parse(source: str, text: str, base: Path) -> Draft:
    """What Ansible says; paths in it are relative to `base`. Raises InputError when it is not Ansible's JSON."""
    data = _load(source, text)
    draft = Draft(source)
    places = OnePlace(Place(source))
    meta, problems = check(_Meta, data.get("_meta"), places, ("_meta",))
    groups: dict[str, _Group] = {}
    for name, raw in data.items():
        group, more = check(_Group, raw, places, (name,)) if name != "_meta" else (None, [])
        problems += more
        if group is not None:
            groups[name] = group
    if any(group.vars for group in groups.values()):
        problems.append(Problem(source, "the variables of groups are apart", f"{_PRINT}, without --export"))
    if meta is None or problems:
        raise InputError(problems)
    _add_hosts(draft, meta.hostvars, groups, base)
    _add_groups(draft, groups)
    return draft


def _load(source: str, text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError.of(source, f"is not valid JSON: {error.msg}", _PRINT, error.lineno, error.colno) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; endless nesting
        raise InputError.of(source, "is not JSON that could be read", _PRINT) from error
    if not isinstance(data, dict) or "_meta" not in data:
        raise InputError.of(source, "is not an inventory that Ansible printed", _PRINT)
    return data


def _add_hosts(draft: Draft, hostvars: dict[str, dict[str, Any]], groups: dict[str, _Group], base: Path) -> None:
    names = dict.fromkeys(name for group in groups.values() for name in group.hosts)
    place = Place(draft.source)
    seen: Counter[str] = Counter()
    for name in [*names, *(name for name in hostvars if name not in names)]:
        variables = hostvars.get(name, {})
        entry, problems = entry_of(variables)
        written = {"name": name, **entry}
        host, more = check(HostEntry, written, OnePlace(place))
        for message, cure in (*problems, *((problem.message, problem.cure) for problem in more)):
            draft.mistakes.add(name, place, message, cure)
        seen.update(variables.keys())
        broken = host is None or bool(problems)
        host = host or rest(HostEntry, written)
        if host is not None:
            for made in hosts_of(host, lambda _: place, base, broken=broken):
                draft.add_host(made, None)
    draft.notices += _unused(draft.source, seen)


def _unused(source: str, seen: Counter[str]) -> Iterator[str]:
    """What a user might think that fleetscan does as Ansible does; `seen` counts the hosts of each variable."""
    for concerns, instead in (
        (is_login, "fleetscan logs on with credentials of its own"),
        (is_detour, "fleetscan connects directly, not through a jump host or a proxy"),
    ):
        found = [f"{name} ({_counted(seen[name])})" for name in sorted(filter(concerns, seen))]
        if found:
            yield f"{source}: not used: {', '.join(found)}; {instead}"


def _counted(hosts: int) -> str:
    return "1 host" if hosts == 1 else f"{hosts} hosts"


def _add_groups(draft: Draft, groups: dict[str, _Group]) -> None:
    place = Place(draft.source)
    named = {name: group for name, group in groups.items() if name not in RESERVED_GROUPS}
    children = dict.fromkeys(child for group in named.values() for child in group.children)
    for name in dict.fromkeys([*named, *children]):  # a group without hosts is named as a child only
        _, problems = check(GroupNames, {"groups": [name]}, OnePlace(place))
        group = named.get(name, _Group())
        role = name.replace("_", "-")
        draft.groups.append(
            GroupDraft(
                name,
                place,
                settings={"roles": Setting([Role(role)], place)} if role in set(Role) else {},
                children=[(child, place) for child in group.children],
                broken=bool(problems),
            )
        )
        draft.problems += problems
        for host in group.hosts:
            if host.casefold() in draft.hosts:  # what is wrong with the others was said already
                draft.hosts[host.casefold()].groups.append(name)
