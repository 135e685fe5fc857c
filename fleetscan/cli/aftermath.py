"""What follows from a run that is over: a command of the user, and the end of what is too old to be kept."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from fleetscan.cli.logs import notice
from fleetscan.errors import ExitStatus, StoreError
from fleetscan.model.history import ChangeKind
from fleetscan.model.host import SecretKind

if TYPE_CHECKING:
    from fleetscan.cli.hooks import Hook
    from fleetscan.model.host import Inventory
    from fleetscan.model.run import RunReport
    from fleetscan.report import ReportTarget
    from fleetscan.store import Store

log = logging.getLogger(__name__)


def call(
    hook: Hook, report: RunReport, status: ExitStatus, targets: tuple[ReportTarget, ...], fleet: Inventory
) -> None:
    """Run the command if something changed. That it fails is told, and changes nothing of the run."""
    from fleetscan.report import STANDARD_OUTPUT

    if not changed(report):
        return
    kinds = Counter(change.kind for change in report.history.changes) if report.history else Counter[ChangeKind]()
    values = {
        "report": next((wanted.path for wanted in targets if wanted.path != STANDARD_OUTPUT), ""),
        "run": report.run_id,
        "status": str(int(status)),
        "new": str(kinds[ChangeKind.NEW]),
        "fixed": str(kinds[ChangeKind.FIXED]),
    }
    secrets = [secret for one in fleet.credentials.values() for secret in (one.password, one.passphrase)]
    hidden = {secret.value for secret in secrets if secret is not None and secret.kind is SecretKind.ENV}
    trouble = hook.run(values, hidden)
    log.info("ran the command of %s", hook.option)
    if trouble:
        notice(trouble)


def changed(report: RunReport) -> bool:
    """Whether the run differs from the one before it; the first one does, and one that was interrupted cannot say."""
    if report.interrupted:
        return False
    history = report.history
    if history is None:
        return True
    return bool(history.moves) or any(change.kind is not ChangeKind.STILL_FAILING for change in history.changes)


def prune(store: Store, keep_days: int, keep_facts: int | None) -> None:
    """Remove what is older than it is to be kept. A store that cannot do it now will be asked again next time."""
    if not keep_days and keep_facts is None:
        return
    try:
        pruned = store.prune(keep_days=keep_days, facts_runs=keep_facts)
    except StoreError as error:
        notice(f"{error.message}; nothing was pruned")
        return
    log.info("pruned %d runs, and the facts of %d", len(pruned.runs), len(pruned.facts))
