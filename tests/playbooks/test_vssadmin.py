"""The reader of `vssadmin list writers`, on texts in the languages and shapes that vssadmin has."""

from __future__ import annotations

from typing import Any

import pytest

from fleetscan.lab import PowerShellEngine
from fleetscan.model.facts import ProbeAnswer
from fleetscan.model.host import Role
from fleetscan.model.reasons import Reason
from tests.playbooks.support import healthy, simulated, visit

pytestmark = [pytest.mark.anyio, pytest.mark.powershell]

SYSTEM = "e8132975-6f93-4464-a53e-1050253ae220"
REGISTRY = "afbab4a2-367d-4d15-a586-71dbb18f8485"
SQL = "a65faa63-5ea8-4ebc-9dbd-a0c4db26912a"
INSTANCE = "3361d3ed-064c-4be8-aca9-f9e1faff0428"

ENGLISH = f"""vssadmin 1.1 - Volume Shadow Copy Service administrative command-line tool
(C) Copyright 2001-2013 Microsoft Corp.

Writer name: 'System Writer'
   Writer Id: {{{SYSTEM}}}
   Writer Instance Id: {{{INSTANCE}}}
   State: [1] Stable
   Last error: No error

Writer name: 'SqlServerWriter'
   Writer Id: {{{SQL.upper()}}}
   Writer Instance Id: {{{INSTANCE}}}
   State: [8] Failed
   Last error: Non-retryable error

"""

FRENCH = f"""vssadmin 1.1 - Outil ligne de commande d'administration du service de cliché instantané de volume
(C) Copyright 2001-2013 Microsoft Corp.

Nom de l'enregistreur\u00a0: 'System Writer'
   ID de l'enregistreur\u00a0: {{{SYSTEM}}}
   ID d'instance de l'enregistreur\u00a0: {{{INSTANCE}}}
   État\u00a0: [1] Stable
   Dernière erreur\u00a0: Pas d'erreur

Nom de l'enregistreur\u00a0: 'Registry Writer'
   ID de l'enregistreur\u00a0: {{{REGISTRY}}}
   ID d'instance de l'enregistreur\u00a0: {{{INSTANCE}}}
   État\u00a0: [1] Stable
   Dernière erreur\u00a0: Pas d'erreur

Nom de l'enregistreur\u00a0: 'SqlServerWriter'
   ID de l'enregistreur\u00a0: {{{SQL}}}
   ID d'instance de l'enregistreur\u00a0: {{{INSTANCE}}}
   État\u00a0: [9] Échec
   Dernière erreur\u00a0: Erreur non renouvelable
"""

GERMAN = f"""vssadmin 1.1 - Verwaltungsbefehlszeilenprogramm des Volumeschattenkopie-Dienstes
(C) Copyright 2001-2013 Microsoft Corp.

Verfassername: "System Writer"
   Verfasserkennung: {{{SYSTEM}}}
   Verfasserinstanzkennung: {{{INSTANCE}}}
   Status: [1] Stabil
   Letzter Fehler: Kein Fehler

Verfassername: "Registry Writer"
   Verfasserkennung: {{{REGISTRY}}}
   Verfasserinstanzkennung: {{{INSTANCE}}}
   Status: [5] Warten auf Abschluss
   Letzter Fehler: Kein Fehler

Verfassername: "SqlServerWriter"
   Verfasserkennung: {{{SQL}}}
   Verfasserinstanzkennung: {{{INSTANCE}}}
   Status: [1] Stabil
   Letzter Fehler: Kein Fehler
"""


async def _answer(engine: PowerShellEngine, text: str, exit_code: int = 0) -> ProbeAnswer:
    spec = simulated(healthy(), "guest.example").machine
    said = {"text": text.replace("\n", "\r\n"), "exit_code": exit_code}
    machine = spec.model_copy(update={"vssadmin": said})
    facts = await visit(engine, machine, [Role.GUEST], only="guest-vss-writers")
    return facts.answers["guest-vss-writers"]


async def _writers(engine: PowerShellEngine, text: str) -> list[dict[str, Any]]:
    answer = await _answer(engine, text)
    assert answer.data is not None, answer.message
    writers = answer.data["writers"]
    assert isinstance(writers, list)
    return writers


def _seen(writers: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(w["id"], w["name"], w["state"], w.get("no_error"), w.get("error")) for w in writers]


async def test_english(powershell: PowerShellEngine) -> None:
    """In English a single writer is enough to know what "No error" is; ids come in small letters."""
    assert _seen(await _writers(powershell, ENGLISH)) == [
        (SYSTEM, "System Writer", 1, True, None),
        (SQL, "SqlServerWriter", 8, False, "Non-retryable error"),
    ]


async def test_french_labels_hold_apostrophes(powershell: PowerShellEngine) -> None:
    """The apostrophe in a label is no quote, and the blank before a colon does not break."""
    assert _seen(await _writers(powershell, FRENCH)) == [
        (SYSTEM, "System Writer", 1, True, None),
        (REGISTRY, "Registry Writer", 1, True, None),
        (SQL, "SqlServerWriter", 9, False, "Erreur non renouvelable"),
    ]


async def test_german_quotes(powershell: PowerShellEngine) -> None:
    """German puts names in double quotes; a busy writer's error counts like the others'."""
    assert _seen(await _writers(powershell, GERMAN)) == [
        (SYSTEM, "System Writer", 1, True, None),
        (REGISTRY, "Registry Writer", 5, True, None),
        (SQL, "SqlServerWriter", 1, True, None),
    ]


async def test_a_writer_that_cannot_fail_tells_what_no_error_is(powershell: PowerShellEngine) -> None:
    """After a broken snapshot all others may say the same; the express writers took no part in it."""
    text = GERMAN.replace("Kein Fehler", "Wiederholbarer Fehler").replace("[5] Warten auf Abschluss", "[1] Stabil")
    express = f"""
Verfassername: "Task Scheduler Writer"
   Verfasserkennung: {{d61d61c8-d73a-4eee-8cdd-f6f9786b7124}}
   Verfasserinstanzkennung: {{{INSTANCE}}}
   Status: [1] Stabil
   Letzter Fehler: Kein Fehler
"""
    writers = await _writers(powershell, text + express)
    assert [w.get("no_error") for w in writers] == [False, False, False, True]


async def test_wrong_code_page(powershell: PowerShellEngine) -> None:
    """Letters that the console spoilt change nothing that is read."""
    spoilt = FRENCH.encode("cp850", "replace").decode("cp437")
    writers = await _writers(powershell, spoilt)
    assert [w["name"] for w in writers] == ["System Writer", "Registry Writer", "SqlServerWriter"]
    assert [w.get("no_error") for w in writers] == [True, True, False]


@pytest.mark.parametrize(
    "name",
    [
        "O'Brien's Writer",
        "'quoted'",
        'say "so"',
        "ADAM (instance1) Writer",
        "state [7] {not-an-id}",
        "a: b",
        "Größe 日本",
    ],
)
async def test_third_party_names(powershell: PowerShellEngine, name: str) -> None:
    """Whatever a vendor calls its writer is its name, and neither a state nor an id."""
    writers = await _writers(powershell, ENGLISH.replace("SqlServerWriter", name))
    assert (writers[1]["name"], writers[1]["state"], writers[1]["id"]) == (name, 8, SQL)


async def test_an_id_in_the_name_is_not_the_id(powershell: PowerShellEngine) -> None:
    """Only the lines below the name hold ids."""
    writers = await _writers(powershell, ENGLISH.replace("SqlServerWriter", f"Writer {{{REGISTRY}}}"))
    assert writers[1]["id"] == SQL


@pytest.mark.parametrize("state", [0, 4, 11, 15])
async def test_states(powershell: PowerShellEngine, state: int) -> None:
    """The number counts, whatever word stands behind it."""
    writers = await _writers(powershell, ENGLISH.replace("[8] Failed", f"[{state}] Whatever"))
    assert writers[1]["state"] == state


async def test_no_majority(powershell: PowerShellEngine) -> None:
    """One stable writer in an unknown language does not tell what "no error" is."""
    one = FRENCH.split("\n\n")[1]
    writers = await _writers(powershell, one + "\n")
    assert _seen(writers) == [(SYSTEM, "System Writer", 1, None, "Pas d'erreur")]


async def test_zero_writers(powershell: PowerShellEngine) -> None:
    """A header without writers is an answer: none, with what vssadmin said."""
    answer = await _answer(powershell, ENGLISH.split("\n\n")[0] + "\n", exit_code=2)
    assert answer.data is not None
    assert (answer.data["writers"], answer.data["exit_code"]) == ([], 2)
    assert "vssadmin 1.1" in str(answer.data["text"])


async def test_a_block_that_is_cut_off_is_no_writer(powershell: PowerShellEngine) -> None:
    """A writer without a state is not made up."""
    writers = await _writers(powershell, ENGLISH.split("   State: [8]")[0])
    assert [w["name"] for w in writers] == ["System Writer"]


async def test_without_elevation(powershell: PowerShellEngine) -> None:
    """An account without an elevated token is told apart from a guest without writers."""
    spec = simulated(healthy(), "guest.example").machine
    system = spec.os.model_copy(update={"elevated": False})
    refused = (
        "Error: You don't have the correct permissions to run this command.  Please run this utility from a command"
    )
    machine = spec.model_copy(update={"os": system, "vssadmin": {"text": refused, "exit_code": 2}})
    facts = await visit(powershell, machine, [Role.GUEST], only="guest-vss-writers")
    answer = facts.answers["guest-vss-writers"]
    assert (answer.data, answer.reason) == (None, Reason.PERMISSION_DENIED)
