"""CEL: compiled once, evaluated per object; an error is an error and never a truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetscan.errors import ExpressionError
from fleetscan.model.playbook import JSON
from fleetscan.playbook import place, template
from fleetscan.playbook.expression import LONGEST_KNOWN, MOST_KNOWN, CelExpression, CompileError, Engine, Program
from fleetscan.playbook.reads import Reads
from fleetscan.yamlfile import read

VALUES: dict[str, JSON] = {
    "host": {"name": "hv01", "now": "2026-01-31T12:00:00.1234567Z"},
    "vm": {
        "name": "sql01",
        "size": 5,
        "load": 0.5,
        "backup": {"enabled": True, "since": "2026-01-30T12:00:00Z"},
        "disks": [{"path": "a", "gib": 1.0}, {"path": "b", "gib": 2.0}],
    },
}

ALL = Reads({"host": [()], "vm": [()]})


def evaluate(text: str, *, must_judge: bool = False) -> JSON:
    engine = Engine(["host", "vm"])
    program, _ = engine.compile(text)
    expression = CelExpression(text, "checks/x.yaml:7", program, ALL, must_judge)
    return expression.evaluate(engine.bind(VALUES))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("vm.size > 3 && vm.backup.enabled", True),
        ("vm.name", "sql01"),
        ("vm.size + 1", 6),
        ("vm.load", 0.5),
        ("vm.disks.map(d, d.path)", ["a", "b"]),
        ('{"a": vm.size}', {"a": 5}),
        ("timestamp(host.now) - timestamp(vm.backup.since)", "86400.1 s"),
        ("timestamp(vm.backup.since)", "2026-01-30T12:00:00Z"),
        ('timestamp(host.now) - timestamp(vm.backup.since) > duration("24h")', True),
        ("has(vm.gone)", False),
        ("vm.?gone.orValue(7)", 7),
        ("vm.?backup.?status.orValue(7)", 7),
        ("vm.?missing.?more.orValue(7)", 7),
        ("has(vm.disks[1].note)", False),
        ("cel.bind(b, vm.backup, b.enabled)", True),
        ("math.greatest(vm.size, 9)", 9),
        ('vm.name.upperAscii().startsWith("SQL")', True),
        ("vm.size == 5 || vm.nothing == 1", True),
    ],
)
def test_values(text: str, value: JSON) -> None:
    assert evaluate(text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("vm.nothing", 'Key not found in map : "nothing"'),
        ("vm.gone == 1", 'Key not found in map : "gone"'),
        ("vm.?name", "it gave an optional value"),
        ("vm.size / 0", "divide by zero"),
        ("vm.size + vm.load", "No matching overloads"),
        ("b'x'", "it gave a value of type bytearray"),
    ],
)
def test_errors_are_raised(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text)
    assert caught.value.message.startswith(f"checks/x.yaml:7: {text}: ")
    assert reason in caught.value.message


def test_a_broken_budget_is_an_error() -> None:
    many = "[" + ",".join("0" for _ in range(101)) + "]"
    with pytest.raises(ExpressionError, match=r"budget|limit"):
        evaluate(f"{many}.all(a, {many}.all(b, a == b))")


@pytest.mark.parametrize("text", ["vm.name", "vm.size", "vm.disks", "vm.backup"])
def test_a_verdict_is_true_or_false(text: str) -> None:
    with pytest.raises(ExpressionError, match="not true or false"):
        evaluate(text, must_judge=True)


def test_an_error_is_no_verdict() -> None:
    with pytest.raises(ExpressionError, match="Key not found"):
        evaluate("vm.nothing.enabled", must_judge=True)


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("vm.size ==", "mismatched input end of the expression", 11),
        ("vmm.size == 1", 'there is no variable or function "vmm"', 1),
        ('1 + "a"', "+ does not take (int, string)", 3),
        ("(vm.size", "missing ')' at end of the expression", 9),
        ("vm.?size == 1", "== does not take (optional(any), int)", 10),
    ],
)
def test_compile_errors_say_what_and_where(text: str, message: str, column: int) -> None:
    with pytest.raises(CompileError) as caught:
        Engine(["host", "vm"]).compile(text)
    assert (caught.value.message, caught.value.line, caught.value.column) == (message, 1, column)


def test_what_cel_makes_of_variables_is_made_once() -> None:
    engine = Engine(["host", "vm"])
    bound = engine.bind(VALUES)
    assert bound.part(ALL).activation is bound.part(ALL).activation


class Counted:
    """A program that counts how often it is asked."""

    def __init__(self, program: Program) -> None:
        self.program, self.asked = program, 0

    def eval(self, activation: object) -> object:
        self.asked += 1
        return self.program.eval(activation)


def counted(engine: Engine, text: str, reads: Reads) -> tuple[CelExpression, Counted]:
    program = Counted(engine.compile(text)[0])
    return CelExpression(text, "x:1", program, reads), program  # type: ignore[arg-type] # a program in all but name


def test_equal_values_are_asked_about_once_and_types_are_told_apart() -> None:
    engine = Engine(["vm"])
    expression, program = counted(engine, "string(vm.size)", Reads({"vm": [("size",)]}))
    sizes: list[JSON] = [1, 1.5, True, "1", 1, True, "1", 1.0]
    found = [
        expression.evaluate(engine.bind({"vm": {"size": size, "name": number}})) for number, size in enumerate(sizes)
    ]
    assert found == ["1", "1.5", "true", "1", "1", "true", "1", "1"]
    assert program.asked == 5


def test_what_names_an_object_is_not_kept() -> None:
    engine = Engine(["vm", "hosts"])
    told: dict[str, JSON] = {"vm": {"id": "a", "name": "b", "size": 1}, "hosts": [1]}
    for text, reads, asked in (
        ("size(vm)", {"vm": [()]}, 2),
        ("vm.id", {"vm": [("id",)]}, 2),
        ("vm.name", {"vm": [("name",), ("size",)]}, 2),
        ("size(hosts)", {"hosts": [()]}, 2),
        ("vm.size", {"vm": [("size",)]}, 1),
    ):
        expression, program = counted(engine, text, Reads(reads))
        assert expression.evaluate(engine.bind(told)) == expression.evaluate(engine.bind(told))
        assert program.asked == asked, text


def test_few_values_are_kept_and_no_long_ones() -> None:
    engine = Engine(["vm"])
    expression, program = counted(engine, "size(vm.disks)", Reads({"vm": [("disks",)]}))
    for _ in range(2):
        for number in range(MOST_KNOWN + 1):
            assert expression.evaluate(engine.bind({"vm": {"disks": [number]}})) == 1
    assert program.asked == 2 * (MOST_KNOWN + 1)
    for _ in range(2):
        assert expression.evaluate(engine.bind({"vm": {"disks": ["x" * LONGEST_KNOWN]}})) == 1
    assert program.asked == 2 * (MOST_KNOWN + 1) + 2


def test_an_error_is_one_each_time() -> None:
    engine = Engine(["vm"])
    expression, _ = counted(engine, "vm.size / 0 == 1", Reads({"vm": [("size",)]}))
    for _ in range(2):
        with pytest.raises(ExpressionError, match="divide by zero"):
            expression.evaluate(engine.bind({"vm": {"size": 3}}))


def test_only_what_is_read_is_needed() -> None:
    engine = Engine(["host", "vm"])
    program, _ = engine.compile("vm.size")
    expression = CelExpression("vm.size", "x:1", program, ALL)
    assert expression.evaluate(engine.bind({"vm": {"size": 3}})) == 3


def rendered(text: str) -> str:
    engine = Engine(["host", "vm"])
    pieces = [
        CelExpression(part.source, "x:1", engine.compile(part.source)[0], ALL)
        if isinstance(part, template.Part)
        else part
        for part in template.split(text)
    ]
    return template.CompiledTemplate(text, tuple(pieces)).render(engine.bind(VALUES))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Enable it for {vm.name} on {host.name}.", "Enable it for sql01 on hv01."),
        ("{vm.size} {vm.load} {vm.backup.enabled}", "5 0.5 true"),
        ("{vm.disks.map(d, d.path)}", "a, b"),
        ("{1.0} {2.0 / 3.0} {12345678.9}", "1 0.67 12345678.9"),
        ("{vm.nothing} is unknown", "? is unknown"),
        ("{{vm.name}} is literal, {{ too }}", "{vm.name} is literal, { too }"),
        ('{ {"a": 1}["a"] } and {vm.name == "}" ? 1 : 2}', "1 and 2"),
        ("{vm.name == 'x' ? '{' : '}'}", "}"),
        ("no parts", "no parts"),
    ],
)
def test_templates(text: str, shown: str) -> None:
    assert rendered(text) == shown


@pytest.mark.parametrize(
    ("text", "offset"), [("a {vm.name", 2), ("a } b", 2), ("{}", 0), ("{ }", 0), ("{'a}", 0), ("{a[}", 0)]
)
def test_braces_must_fit(text: str, offset: int) -> None:
    with pytest.raises(template.TemplateError) as caught:
        template.split(text)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    "written",
    [
        "a == 1 && MARK",
        "'a == ''x'' && MARK'",
        '"a == \\"x\\" && MARK"',
        '"a\\u0020== \\x41 && MARK"',
        "|\n  a == 1\n    && MARK\n",
        "|2\n    a ==\n  MARK\n",
        ">-\n  a == 1\n  && MARK\n",
        "a == 1\n  && MARK",
        "|\n\n  a ==\n\n  MARK\n",
    ],
)
def test_places_in_yaml_texts(written: str, tmp_path: Path) -> None:
    text = f"first: 1\npass: {written}\nlast: 2\n"
    document = read("x.yaml", text)
    assert isinstance(document.data, dict)
    value = document.data["pass"]
    assert isinstance(value, str)
    line, column = place.Source(document, text).position(("pass",), value, value.index("MARK"))
    assert text.split("\n")[line - 1][column - 1 :].startswith("MARK")
