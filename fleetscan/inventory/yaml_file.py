"""The YAML source. Each part of the file is checked apart, so that one mistake does not hide the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from fleetscan import yamlfile
from fleetscan.errors import InputError, Problem
from fleetscan.inventory.draft import Draft, GroupDraft, HostDraft, Place, hosts_of, path_from, settings_of
from fleetscan.inventory.expand import RangeError
from fleetscan.inventory.schema import (
    CredentialEntry,
    GroupEntry,
    HostEntry,
    InventoryFile,
    SecretEntry,
    ZoneEntry,
)
from fleetscan.model.host import Credential, SecretKind, SecretSource, Zone
from fleetscan.model.playbook import JSON
from fleetscan.validate import check, rest
from fleetscan.yamlfile import Step

T = TypeVar("T")

_SECTIONS = ("credentials", "groups", "zones")


def parse(source: str, text: str, base: Path) -> Draft:
    """What a YAML inventory says; paths in it are relative to `base`. Raises InputError for what is not YAML."""
    mistakes: list[Problem] = []
    document = yamlfile.read(source, text, mistakes=mistakes)
    if document.data is None:
        raise InputError.of(source, "the file is empty", "see docs/inventory.md for an example", 1, 1)
    draft = _Parser(document, base).parse()
    draft.problems += mistakes
    return draft


class _Parser:
    def __init__(self, document: yamlfile.Document, base: Path) -> None:
        self._document = document
        self._base = base
        self._draft = Draft(document.source)

    def parse(self) -> Draft:
        data = self._document.data
        if not isinstance(data, dict):
            self._check(InventoryFile, data, ())
            return self._draft
        sections = {name: data[name] or {} for name in _SECTIONS if isinstance(data.get(name, ""), dict | None)}
        self._top({key: value for key, value in data.items() if key not in sections})
        for name, raw in _items(sections.get("credentials")):
            self._credential(name, raw)
        for name, raw in _items(sections.get("groups")):
            self._group(name, raw or {})
        for name, raw in _items(sections.get("zones")):
            zone = self._check(ZoneEntry, raw or {}, ("zones", name))
            if zone is not None:
                self._draft.zones.append((Zone(name, zone.concurrency), self._place(("zones", name))))
        return self._draft

    def _top(self, data: dict[str, JSON]) -> None:
        if "all" in data and "groups" not in data:
            cure = "give fleetscan what `ansible-inventory --list` prints"
            self._draft.problems.append(
                self._document.problem(("all",), "this is an inventory of Ansible", cure, key=True)
            )
            return
        file = self._check(InventoryFile, data, ())
        self._draft.broken_defaults = file is None
        file = file or rest(InventoryFile, data)
        if file is not None and file.defaults is not None:
            self._draft.defaults = settings_of(file.defaults, self._placer(("defaults",)), self._base)

    def _credential(self, name: str, raw: JSON) -> None:
        loc: tuple[Step, ...] = ("credentials", name)
        entry = self._check(CredentialEntry, raw, loc)
        if entry is None:
            self._draft.broken_credentials.append(name)
            return
        made = Credential(
            name=name,
            username=entry.username or "",
            password=self._secret(entry.password, (*loc, "password")),
            private_key=self._path(entry.private_key),
            passphrase=self._secret(entry.passphrase, (*loc, "passphrase")),
            certificate=self._path(entry.certificate),
            certificate_key=self._path(entry.certificate_key),
            parallel_logons=entry.parallel_logons,
            origin=self._document.origin(loc),
        )
        self._draft.credentials.append((made, self._place(loc)))

    def _secret(self, entry: SecretEntry | None, loc: tuple[Step, ...]) -> SecretSource | None:
        if entry is None:
            return None
        kind, value = next(iter(entry.model_dump(exclude_none=True).items()))
        origin = self._document.origin((*loc, kind))
        if isinstance(value, list):
            return SecretSource(SecretKind(kind), " ".join(value), origin, tuple(value))
        return SecretSource(SecretKind(kind), path_from(self._base, value) if kind == "file" else value, origin)

    def _path(self, text: str | None) -> str | None:
        return None if text is None else path_from(self._base, text)

    def _group(self, name: str, raw: JSON) -> None:
        loc: tuple[Step, ...] = ("groups", name)
        hosts = raw.get("hosts") if isinstance(raw, dict) else None
        if isinstance(raw, dict) and isinstance(hosts, list):
            raw = {key: value for key, value in raw.items() if key != "hosts"}
        named = self._check(InventoryFile, {"groups": {name: {}}}, ())
        entry = self._check(GroupEntry, raw, loc)
        group = GroupDraft(name, self._place(loc, key=True), broken=named is None or entry is None)
        entry = entry or rest(GroupEntry, raw)
        if entry is not None:
            group.settings = settings_of(entry, self._placer(loc), self._base)
            children = enumerate(entry.children or ())
            group.children = [(child, self._place((*loc, "children", index))) for index, child in children]
        self._draft.groups.append(group)
        for index, host in enumerate(hosts if isinstance(hosts, list) else ()):
            for made in self._hosts(host, (*loc, "hosts", index)):
                self._draft.add_host(made, name)

    def _hosts(self, raw: JSON, loc: tuple[Step, ...]) -> Iterator[HostDraft]:
        raw = raw if isinstance(raw, dict) else {"name": raw}
        whole = self._check(HostEntry, raw, loc)
        entry = whole or rest(HostEntry, raw)
        if entry is None:
            return
        try:
            yield from hosts_of(entry, self._placer(loc), self._base, broken=whole is None)
        except RangeError as error:
            self._draft.problems.append(self._document.problem((*loc, "address"), error.message, error.cure))

    def _check(self, kind: type[T], data: object, loc: tuple[Step, ...]) -> T | None:
        value, problems = check(kind, data, self._document, loc)
        self._draft.problems += problems
        return value

    def _place(self, loc: tuple[Step, ...], *, key: bool = False) -> Place:
        return Place(self._document.source, *self._document.position(loc, key=key))

    def _placer(self, base: tuple[Step, ...]) -> Callable[[tuple[Step, ...]], Place]:
        return lambda loc: self._place(base + loc, key=True)


def _items(section: JSON) -> list[tuple[str, JSON]]:
    return list(section.items()) if isinstance(section, dict) else []
