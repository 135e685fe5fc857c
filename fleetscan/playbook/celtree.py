"""The syntax tree of a compiled CEL expression.

CEL hands it out as a serialized google.protobuf.Any with a cel.expr.CheckedExpr in it. The messages are described here
as far as they are read; the field numbers are those of cel-spec, proto/cel/expr/syntax.proto and checked.proto.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

_PACKAGE = "fleetscan.cel"
_TYPE_URL = "type.googleapis.com/cel.expr.CheckedExpr"

# message → field → (number, type); `*` repeated, `.` a message, `map` int64 → int32.
_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "CheckedExpr": {"expr": (4, ".Expr"), "source_info": (5, ".SourceInfo")},
    "SourceInfo": {"positions": (4, "*.Position")},
    "Position": {"key": (1, "int64"), "value": (2, "int32")},
    "Expr": {
        "id": (2, "int64"),
        "const_expr": (3, ".Constant"),
        "ident_expr": (4, ".Ident"),
        "select_expr": (5, ".Select"),
        "call_expr": (6, ".Call"),
        "list_expr": (7, ".CreateList"),
        "struct_expr": (8, ".CreateStruct"),
        "comprehension_expr": (9, ".Comprehension"),
    },
    "Constant": {
        "null_value": (1, "int32"),
        "bool_value": (2, "bool"),
        "int64_value": (3, "int64"),
        "uint64_value": (4, "uint64"),
        "double_value": (5, "double"),
        "string_value": (6, "string"),
        "bytes_value": (7, "bytes"),
    },
    "Ident": {"name": (1, "string")},
    "Select": {"operand": (1, ".Expr"), "field": (2, "string"), "test_only": (3, "bool")},
    "Call": {"target": (1, ".Expr"), "function": (2, "string"), "args": (3, "*.Expr")},
    "CreateList": {"elements": (1, "*.Expr")},
    "CreateStruct": {"entries": (2, "*.Entry")},
    "Entry": {"field_key": (2, "string"), "map_key": (3, ".Expr"), "value": (4, ".Expr")},
    "Comprehension": {
        "iter_var": (1, "string"),
        "iter_range": (2, ".Expr"),
        "accu_var": (3, "string"),
        "accu_init": (4, ".Expr"),
        "loop_condition": (5, ".Expr"),
        "loop_step": (6, ".Expr"),
        "result": (7, ".Expr"),
        "iter_var2": (8, "string"),
    },
}
_ONE_OF = {"Expr": "expr_kind", "Constant": "constant_kind"}


class Tree:
    """The root expression, and the offset in the text at which each of its parts stands."""

    def __init__(self, root: Any, offsets: Mapping[int, int], text: str) -> None:
        self.root = root
        self._offsets = offsets
        self._text = text

    def offset(self, node: Any) -> int:
        """The character at which CEL places a node; 0 where it says nothing."""
        return self._offsets.get(node.id, 0)

    def offset_of(self, word: str, node: Any) -> int:
        """The character at which a word begins that CEL read at a node, or after it."""
        start = self.offset(node)
        found = re.compile(rf"\b{re.escape(word)}\b").search(self._text, start)
        return found.start() if found is not None else start


def decode(serialized: bytes, text: str) -> Tree:
    """Read what `Expression.serialize()` of cel-expr-python gives for a text; raises ValueError for anything else."""
    container = any_pb2.Any.FromString(serialized)
    if container.type_url != _TYPE_URL:
        raise ValueError(f"an expression of the unknown type {container.type_url}")
    try:
        checked: Any = _checked_expr().FromString(container.value)
    except DecodeError as error:
        raise ValueError("the expression is nested too deeply") from error
    offsets = {position.key: position.value for position in checked.source_info.positions}
    return Tree(checked.expr, offsets, text)


@cache
def _checked_expr() -> type[Message]:
    file = descriptor_pb2.FileDescriptorProto(name="fleetscan/cel.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        if name in _ONE_OF:
            message.oneof_decl.add(name=_ONE_OF[name])
        for field_name, (number, kind) in fields.items():
            field = message.field.add(name=field_name, number=number)
            _describe(field, kind)
            if name in _ONE_OF and field_name != "id":
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.CheckedExpr"))


def _describe(field: descriptor_pb2.FieldDescriptorProto, kind: str) -> None:
    label = "LABEL_REPEATED" if kind.startswith("*") else "LABEL_OPTIONAL"
    kind = kind.removeprefix("*")
    field.label = descriptor_pb2.FieldDescriptorProto.Label.Value(label)
    if kind.startswith("."):
        field.type = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}{kind}"
    else:
        field.type = descriptor_pb2.FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")
