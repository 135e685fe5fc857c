"""The ways in which a simulated host can misbehave: a closed list, one sentence each."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """One fault of one host. docs/lab.md is made from this table."""

    def __new__(cls, value: str, meaning: str) -> Fault:
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    meaning: str

    # The network.
    REFUSE = ("refuse", "The port is closed.")
    HANG = ("hang", "Connections are accepted and never answered.")
    RESET = ("reset", "Every connection is reset as soon as the first byte arrives.")
    # TLS.
    TLS_EXPIRED = ("tls-expired", "The certificate expired a month ago.")
    TLS_NAME = ("tls-name", "The certificate was issued for another host.")
    TLS_SELF_SIGNED = ("tls-self-signed", "The certificate is signed by itself, not by the lab's authority.")
    TLS_HANDSHAKE = ("tls-handshake", "The server ends the handshake with an alert: no cipher or version in common.")
    TLS_ABSENT = ("tls-absent", "The port speaks plain HTTP where TLS is expected.")
    # The logon.
    UNAUTHORIZED = ("unauthorized", "Every logon is rejected: HTTP 401, or no SSH method succeeds.")
    WRONG_PASSWORD = ("wrong-password", "The host knows the account with another password.")
    NO_COMMON_AUTH = (
        "no-common-auth",
        "The host offers no way of logging on that the client uses (WinRM: only Kerberos).",
    )
    NO_CHALLENGE = ("no-challenge", "HTTP 401 without a challenge to every token of a logon.")
    LOGON_HANG = ("logon-hang", "The host falls silent in the middle of the logon.")
    LOGON_LOST = ("logon-lost", "HTTP 401 to Receive: the host has forgotten the logon in the middle of the visit.")
    # HTTP.
    UNAVAILABLE = ("unavailable", "HTTP 503 to every request, as http.sys answers while WinRM restarts.")
    REDIRECT = ("redirect", "HTTP 307 to another address.")
    GARBAGE = ("garbage", "HTTP 200 with a page of HTML, as a captive proxy sends it.")
    GZIP_BOMB = ("gzip-bomb", "The answer is 300 KB of gzip that unpack to 300 MB.")
    CUT = ("cut", "The answer to Receive ends in the middle, and the connection is reset.")
    DRIP = ("drip", "The answer to Create comes as one byte every half second.")
    # The steps of WinRM.
    CREATE_HANG = ("create-hang", "Create is never answered.")
    COMMAND_HANG = ("command-hang", "Command is never answered.")
    SEND_HANG = ("send-hang", "Send is never answered.")
    RECEIVE_HANG = ("receive-hang", "Receive is never answered.")
    DELETE_HANG = ("delete-hang", "Delete is never answered.")
    CREATE_RESET = ("create-reset", "The connection is reset instead of the answer to Create.")
    COMMAND_RESET = ("command-reset", "The connection is reset instead of the answer to Command.")
    SEND_RESET = ("send-reset", "The connection is reset instead of the answer to Send.")
    RECEIVE_RESET = ("receive-reset", "The connection is reset instead of the answer to Receive.")
    DELETE_RESET = ("delete-reset", "The connection is reset instead of the answer to Delete.")
    # SOAP.
    QUOTA_SHELLS = ("quota-shells", "Create is refused: fault 2150859173, too many shells.")
    QUOTA_SHELLS_WMI = ("quota-shells-wmi", "The same, with the code only in MSFT_WmiError and no RelatesTo.")
    QUOTA_USERS = ("quota-users", "Create is refused: fault 2150859179, too many users with shells.")
    QUOTA_OPERATIONS = ("quota-operations", "Command is refused: fault 2150859174, too many operations.")
    ACCESS_DENIED = ("access-denied", "Create is refused: fault 5, the account may log on but open no shell.")
    BUSY = ("busy", "Command is refused: fault 170, the resource is in use.")
    SHELL_LOST = ("shell-lost", "The shell is gone when its output is asked for: fault 2150858843.")
    RELATES_TO = ("relates-to", "Answers name another message than the one they answer.")
    NO_EXIT_CODE = ("no-exit-code", "The last Receive says Done without an exit code.")
    SHELL_ID_IGNORED = ("shell-id-ignored", "A shell gets an id of the host's, not the one that Create asks for.")
    SHELL_ID_REFUSED = ("shell-id-refused", "Create with an id for the shell is refused: fault 87, a bad parameter.")
    # SSH.
    HOSTKEY_CHANGED = ("hostkey-changed", "The host has another key than the one in the known-hosts file.")
    HOSTKEY_UNKNOWN = ("hostkey-unknown", "The known-hosts file has no key of the host.")
    CHANNEL_REFUSED = ("channel-refused", "The logon succeeds, but no session may be opened.")
    # The command and its output.
    NEVER_ENDS = ("never-ends", "The command writes nothing and does not end.")
    HALF = ("half", "The first half of the output comes, then the command hangs.")
    SILENT = ("silent", "The command ends at once, with exit status 0 and no output.")
    TRUNCATED = ("truncated", "The output stops in the middle of a line; exit status 0.")
    DAMAGED = ("damaged", "One character of each answer is changed on the way.")
    FOREIGN = ("foreign", "The output is that of another run: its nonce is a different one.")
    FORGED = ("forged", "Forged answers with another nonce come before the real ones.")
    NOISE = ("noise", "A banner, progress and a warning in code page 850 stand around the answers.")
    SPLIT = ("split", "The output comes in many small pieces that cut through lines and base64 units.")
    HUGE_10 = ("huge-10", "The command writes 10 MB.")
    HUGE_100 = ("huge-100", "The command writes 100 MB.")
    MEMORY = ("memory", "PowerShell ends with OutOfMemoryException: the memory quota of the shell is too small.")
    ANTIMALWARE = ("antimalware", "Antimalware refuses the script: ScriptContainedMaliciousContent.")


TLS_FAULTS = frozenset(fault for fault in Fault if fault.startswith("tls-"))
SSH_FAULTS = frozenset((Fault.HOSTKEY_CHANGED, Fault.HOSTKEY_UNKNOWN, Fault.CHANNEL_REFUSED))
OUTPUT_FAULTS = frozenset(list(Fault)[list(Fault).index(Fault.NEVER_ENDS) :])
REJECTIONS = frozenset(
    (Fault.UNAUTHORIZED, Fault.WRONG_PASSWORD, Fault.NO_COMMON_AUTH, Fault.NO_CHALLENGE, Fault.LOGON_LOST)
)
"""A scan takes these for a wrong password, and two of them stop all of its logons with that account."""
EVERYWHERE = OUTPUT_FAULTS | {
    Fault.REFUSE,
    Fault.HANG,
    Fault.RESET,
    Fault.UNAUTHORIZED,
    Fault.WRONG_PASSWORD,
    Fault.NO_COMMON_AUTH,
    Fault.LOGON_HANG,
}
"""What a host can do over any transport."""


def possible(fault: Fault, *, transport: str, tls: bool) -> bool:
    """Whether a host of that transport can have the fault."""
    if transport == "direct":
        return False
    if fault in EVERYWHERE:
        return True
    if transport == "ssh":
        return fault in SSH_FAULTS
    return fault not in SSH_FAULTS and (tls or fault not in TLS_FAULTS)
