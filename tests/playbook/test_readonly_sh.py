"""The gate for POSIX sh: what reads is let through, what could write is refused wherever it stands."""

from __future__ import annotations

import pytest

from fleetscan.model.playbook import Language
from fleetscan.playbook.readonly import prove

GOOD = r"""# A probe as people write them.
set -eu
value() {
    if [ -r /etc/os-release ]; then
        grep "^$1=" /etc/os-release | cut -d= -f2- | tr -d '"'
    fi
}
# The kernel cuts names after 15 characters.
running=false
for wanted in hv_vss_daemon hypervvssd; do
    if cat /proc/[0-9]*/comm 2>/dev/null | grep -q -x -F "$wanted"; then running=true; fi
done
if command -v systemctl >/dev/null 2>&1 && [ "$running" = false ]; then
    state=$(systemctl show --property=ActiveState hv-vss-daemon.service | sed 's/^[^=]*=//')
    printf 'unit=%s\n' "${state:-unknown}"
fi
case "$(uname -r)" in
    5.*) echo kernel.old=true ;;
    *) echo kernel.old=false ;;
esac
while IFS= read -r line; do
    [ -n "$line" ] || continue
    printf 'line=%s\n' "${line%%:*}"
done </etc/hosts
echo "running=$running"
printf 'distribution=%s\n' "$(value ID)"
[ -e /dev/vmbus/hv_vss ] && echo device=true
exit 0
"""

ALLOWED = [
    "sed -n 's/^x=//p' /etc/os-release",
    "sed -n '/a/{n;p;q;}' /etc/os-release",
    "sed -n '2,5p' /etc/hosts",
    'echo "\\$(rm x)"',
    "date -u +%Y-%m-%d",
    "sort -n </etc/hosts | uniq -c",
    "echo x >&2",
    'f() { local a=1; echo "$a"; }\nf',
]

REFUSED = {
    "rm -rf /": "rm",
    "echo x > /tmp/f": "write to a file",
    "echo x >> /dev/null2": "write to a file",
    "echo x >| f": "write to a file",
    "cat x &> f": "write to a file",
    "{ cat x; } > y": "write to a file",
    "exec 3>foo": "exec",
    "cat /etc/passwd | tee x": "tee",
    'sed -n "$a" b': "sed",
    "sed -i s/a/b/ f": "sed",
    "sed -n 'w x' f": "sed",
    "sed -n 's/a/b/w x' f": "sed",
    "sed -n 's/a/b/e' f": "sed",
    "sed 's/a/b/;w x' f": "sed",
    'sed -n p "-i"': "sed",
    'sed -n p "$f"': "sed",
    "echo `id`": "backquotes",
    "x=$((1+2))": "arithmetic",
    'eval "$a"': "eval",
    ". /etc/profile": "`.`",
    "source x": "source",
    "command rm x": "command",
    "PATH=/tmp": "PATH",
    "LD_PRELOAD=/tmp/x cat y": "LD_PRELOAD",
    "$a b": "must be written out",
    '"rm" x': "must be written out",
    'r""m x': "must be written out",
    "r\\m x": "r\\m",
    "cat <<X\nrm\nX": "here-document",
    "cat <<< x": "here-string",
    "cat <(rm x)": "process substitution",
    "test -v 'a[$(id)]'": "test",
    "[ -v a ]": "-v",
    'a=x; [ $a = "$b" ]': "without quotes",
    "[[ -n x ]]": "[[",
    "printf -v x y": "printf",
    'printf "$x"': "printf",
    "find / -delete": "find",
    "xargs rm": "xargs",
    "awk 'BEGIN { system(\"rm x\") }'": "awk",
    "hostname newname": "hostname",
    "date -s 2020": "date",
    "systemctl stop foo": "systemctl",
    "systemctl $x foo": "systemctl",
    "systemctl -H other show foo": "systemctl",
    "systemctl --host=other show foo": "systemctl",
    "sort -o f g": "sort",
    "uniq a b": "uniq",
    "rpm -e foo": "rpm",
    "export A=1": "declaring",
    "readonly a=1": "declaring",
    "a[0]=1": "arrays",
    "a=(1 2)": "not allowed",
    "trap 'rm x' EXIT": "trap",
    "alias ls=rm": "alias",
    "ls &": "&",
    "echo a#b": "cannot be read with certainty",
    'echo "${x@P}"': "not allowed",
    'echo "${x:=y}"': "not allowed",
    "cat() { rm x; }": "name of a command",
    "function f { ls; }": "function",
    "unset x": "unset",
    "cat /dev/watchdog": "device",
    "cat </dev/tcp/10.0.0.1/80": "device",
    "echo \u00e9": "U+00E9",
    "echo a\r\n": "U+000D",
    "if true; then": "cannot read",
    "echo 'a": "cannot read",
}


def messages(text: str) -> str:
    return "\n".join(str(problem) for problem in prove(text, Language.SH, "probe.sh"))


def test_a_whole_probe_passes() -> None:
    assert messages(GOOD) == ""


@pytest.mark.parametrize("text", ALLOWED)
def test_what_reads_passes(text: str) -> None:
    assert messages(text) == ""


@pytest.mark.parametrize(("text", "reason"), REFUSED.items())
def test_what_could_write_is_refused(text: str, reason: str) -> None:
    assert reason in messages(text)


PLACES = [
    "{write}",
    "if true; then\n{write}\nfi",
    "if {write}; then :; fi",
    "for i in $({write}); do :; done",
    "for i in a; do {write}; done",
    "while {write}; do :; done",
    "f() {{ {write}; }}",
    "x=$({write})",
    'echo "$({write})"',
    'echo "${{x:-$({write})}}"',
    "cat x | {write}",
    "{write} | cat",
    "true && {write}",
    "! {write}",
    "({write})",
    "{{ {write}; }}",
    'case "$({write})" in a) :;; esac',
    "case a in a) {write} ;; esac",
    '[ "$({write})" = x ]',
    "a=b {write}",
    'cat <"$({write})"',
]


@pytest.mark.parametrize("place", PLACES)
def test_a_write_is_refused_wherever_it_stands(place: str) -> None:
    assert "the command `rm`" in messages(place.format(write="rm x"))
    assert messages(place.format(write="id")) == ""
