"""The pieces of PowerShell's grammar, and what the gate makes of each: let through, look closely, refuse."""

from __future__ import annotations

import re

from fleetscan.playbook.gate.words import words

PLAIN = words(
    """program param_block parameter_list script_parameter script_parameter_default script_block script_block_body
    statement_block statement_list empty_statement if_statement elseif_clauses elseif_clause else_clause
    switch_statement switch_parameters switch_parameter switch_condition switch_body switch_clauses switch_clause
    switch_clause_condition foreach_statement for_statement for_initializer for_condition for_iterator
    while_statement while_condition do_statement flow_control_statement try_statement catch_clauses catch_clause
    finally_clause pipeline pipeline_chain assignment_expression left_assignment_expression assignement_operator
    logical_expression bitwise_expression comparison_expression comparison_operator additive_expression
    multiplicative_expression format_expression format_operator range_expression array_literal_expression
    unary_expression expression_with_unary_operator cast_expression parenthesized_expression sub_expression
    array_expression hash_literal_expression hash_literal_body hash_entry key_expression element_access
    argument_list argument_expression_list argument_expression logical_argument_expression
    bitwise_argument_expression comparison_argument_expression additive_argument_expression
    multiplicative_argument_expression format_argument_expression range_argument_expression command_elements
    redirections redirection merging_redirection_operator string_literal integer_literal attribute_list
    pre_increment_expression pre_decrement_expression post_increment_expression post_decrement_expression
    function_parameter_declaration catch_type_list ( ) @( $( @{ { } [ ] ; , . | ! + - * / % .. = += -= *= /= %= ++
    -- $_ $? if elseif else switch foreach in for while do until try catch finally param function return throw break
    continue -and -or -xor -not -band -bor -bxor -bnot -f -join -split -as -is -isnot -in -notin -contains
    -notcontains -icontains -inotcontains -ccontains -cnotcontains -eq -ne -gt -ge -lt -le -like -notlike -match
    -notmatch -replace -shl -shr -ceq -cne -cgt -cge -clt -cle -clike -cnotlike -cmatch -cnotmatch -creplace -csplit
    -ieq -ine -igt -ige -ilt -ile -ilike -inotlike -imatch -inotmatch -ireplace -isplit -regex -wildcard -exact
    -casesensitive *>&1 2>&1 3>&1 4>&1 5>&1 6>&1"""
)
"""Pieces that do nothing by themselves: what is in them is looked at."""

LEAVES = {
    "generic_token": re.compile(r"[A-Za-z0-9_./\\:*?=-]+"),
    "command_parameter": re.compile(r"-[A-Za-z]+"),
    "simple_name": re.compile(r"[A-Za-z_][A-Za-z0-9_]*"),
    "function_name": re.compile(r"[A-Za-z]+-[A-Za-z0-9]+"),
    "decimal_integer_literal": re.compile(r"[0-9]+([kmgtp]b|l)?", re.IGNORECASE),
    "hexadecimal_integer_literal": re.compile(r"0x[0-9a-f]+l?", re.IGNORECASE),
    "real_literal": re.compile(r"[0-9]+\.[0-9]+"),
    "verbatim_string_characters": re.compile(r"'(?:[^'\n]|'')*'"),
    "type_literal": re.compile(r"\[[A-Za-z][A-Za-z0-9.]*(?:\[\])?\]"),
    "variable": re.compile(
        r"\$(?:env:[A-Za-z0-9_]+|[A-Za-z_][A-Za-z0-9_]*|_|\?)|\$\{[A-Za-z_][A-Za-z0-9_]*\}", re.IGNORECASE
    ),
    "redirected_file_name": re.compile(r"\s*\$null", re.IGNORECASE),
    "file_redirection_operator": re.compile(r"[2-6*]?>"),
}
"""What each token may look like, letter by letter."""

TO_NULL = re.compile(r"[2-6*]?>\$null", re.IGNORECASE)
ESCAPES = re.compile(r"`[`\"$nrt0]|\"\"")
HIDDEN = re.compile(r"[`\"\n]|\$[({A-Za-z0-9_:?^$]")
UNC = re.compile(r"(?:^|::)[\\/]{2}[\w.?$]")
PRODUCT = re.compile(r"\bWin32_Product\b", re.IGNORECASE)
TEXT_OPERATORS = re.compile(r"-[ci]?(?:not)?(?:match|like)|-[ci]?(?:replace|split)", re.IGNORECASE)
NOT_ASCII = re.compile(r"[^\x20-\x7e\n\t]")

KEYWORDS = words(
    "if elseif else switch foreach in for while do until try catch finally param function return throw break continue"
)
"""Words that PowerShell reads as the beginning of a longer word when a quote or a variable touches them."""

REFUSED = {
    "command_invokation_operator": ("`&` and `.` run whatever stands behind them", "write the code out"),
    "stop_parsing": ("`--%` hides what follows from every check", "quote the arguments one by one"),
    "verbatim_command_argument": ("`--%` hides what follows from every check", "quote the arguments one by one"),
    "expandable_here_string_literal": (
        "a here-string is not allowed in a probe",
        "write a text in quotes on one line, or join several",
    ),
    "verbatim_here_string_characters": (
        "a here-string is not allowed in a probe",
        "write a text in quotes on one line, or join several",
    ),
    "::": ("a static member of a type can do anything", "use a cmdlet (Get-Date, New-TimeSpan …) or an operator"),
    "trap_statement": ("`trap` is not allowed in a probe", "use try and catch"),
    "invokation_foreach_expression": ("the method ForEach is not allowed in a probe", "pipe to ForEach-Object"),
    "exit": ("`exit` would end the whole scan of the host", "use return, or throw with a text"),
    "label": ("a label is not allowed in a probe", "put the loops into one another without it"),
    "label_expression": ("a label is not allowed in a probe", "put the loops into one another without it"),
    "command_argument_sep": ("a colon after a parameter is not allowed in a probe", "write a blank instead"),
    "-file": ("`switch -File` is not allowed in a probe", "read the file with Get-Content"),
    "class_statement": ("a class is not allowed in a probe", "use a hashtable"),
    "named_block": (
        "begin, process and end are not allowed in a probe",
        "give ForEach-Object the parameters -Begin, -Process and -End",
    ),
    "pipeline_chain_tail": ("Windows PowerShell 5.1 does not know `&&` and `||`", "use if"),
}
