"""`diagnoses.yaml`: read whole, or refused with every mistake in its place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fleetscan import playbook
from fleetscan.errors import InputError

TUTORIAL = Path(__file__).parent / "tutorial"
GOOD = """\
diagnoses:
  no-snapshot:
    says: no snapshots
    symptoms: [app-consistent-snapshot-recent]
    causes:
      - {check: backup-service-enabled, because: the service is disabled}
"""


def load(tmp_path: Path, text: str) -> playbook.Playbook:
    folder = tmp_path / "book"
    shutil.copytree(Path(__file__).parents[2] / "playbooks" / "asr-hyperv", folder)
    (folder / "diagnoses.yaml").write_text(text, encoding="utf-8")
    return playbook.load(str(folder))


def test_rules_are_read_in_their_order(tmp_path: Path) -> None:
    [rule] = load(tmp_path, GOOD).diagnoses
    assert (rule.id, rule.says, rule.symptoms) == ("no-snapshot", "no snapshots", ("app-consistent-snapshot-recent",))
    assert [(cause.check, cause.because) for cause in rule.causes] == [
        ("backup-service-enabled", "the service is disabled")
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("backup-service-enabled", "backup-servce-enabled"), ':6:17: unknown check "backup-servce-enabled"; did you'),
        (("[app-consistent-snapshot-recent]", "[vmms-running]"), '"vmms-running" is no check of virtual machines'),
        (("[app-consistent-snapshot-recent]", "[]"), ":4:"),
        (("because:", "becuase:"), 'unknown key "becuase"'),
        (("    says: no snapshots\n", ""), '"says" is missing'),
    ],
)
def test_mistakes_are_named_with_their_place(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, GOOD.replace(*change))
    assert told in str(caught.value)


def test_a_playbook_needs_no_diagnoses() -> None:
    assert playbook.load(str(TUTORIAL)).diagnoses == ()


def test_every_rule_of_the_built_in_playbook_leads_to_checks_of_its_own() -> None:
    book = playbook.load(None)
    assert {rule.id for rule in book.diagnoses} == {
        "no-replication",
        "no-application-consistent-snapshot",
        "error-more-data",
        "error-version-mismatch",
    }
