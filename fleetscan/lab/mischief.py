"""Faults of a WinRM endpoint: where in an exchange each one strikes."""

from __future__ import annotations

import asyncio
import gzip
import re
from dataclasses import replace
from functools import cache
from http import HTTPStatus

from fleetscan.lab.faults import Fault
from fleetscan.lab.http import Delivery, Request, ResetConnection, Response
from fleetscan.lab.soap import Message, message_id
from fleetscan.lab.soapfault import (
    ACCESS_DENIED,
    BAD_PARAMETER,
    BUSY,
    QUOTA_OPERATIONS,
    QUOTA_SHELLS,
    QUOTA_USERS,
    SHELL_GONE,
    WSManFault,
)

_REFUSALS = {
    Fault.QUOTA_SHELLS: ("create", QUOTA_SHELLS),
    Fault.QUOTA_SHELLS_WMI: ("create", QUOTA_SHELLS),
    Fault.QUOTA_USERS: ("create", QUOTA_USERS),
    Fault.ACCESS_DENIED: ("create", ACCESS_DENIED),
    Fault.QUOTA_OPERATIONS: ("command", QUOTA_OPERATIONS),
    Fault.BUSY: ("command", BUSY),
    Fault.SHELL_LOST: ("receive", SHELL_GONE),
}
_RELATES_TO = re.compile(rb"<a:RelatesTo>[^<]*</a:RelatesTo>")
_EXIT_CODE = re.compile(rb"<rsp:ExitCode>[^<]*</rsp:ExitCode>")
_HTML = (("Content-Type", "text/html"),)
_PAGE = b"<!DOCTYPE html><html><body><p>Please log on to the guest network &amp; accept the terms<br></body></html>"


_UNAUTHORIZED = Response(HTTPStatus.UNAUTHORIZED, headers=(("WWW-Authenticate", "Negotiate"),))


class InsteadError(Exception):
    """Raised where a message is answered by something else than SOAP."""

    def __init__(self, response: Response) -> None:
        super().__init__(response)
        self.response = response


class Mischief:
    """One host's fault, asked at each point of an exchange. None does no harm."""

    def __init__(self, fault: Fault | None) -> None:
        self._fault = fault

    async def instead_of_http(self, request: Request) -> Response | None:
        """What is answered before anything is looked at; None goes on. May wait for ever, or raise ResetConnection."""
        if self._fault is Fault.LOGON_HANG and request.header("authorization"):
            await _for_ever()
        return _static(self._fault) if self._fault is not None else None

    async def before(self, message: Message) -> None:
        """Strike before a message is acted on: wait for ever, raise WSManFault or InsteadError."""
        step = _step(message)
        if self._fault is Fault.LOGON_LOST and step == "receive":
            raise InsteadError(_UNAUTHORIZED)
        if self._fault == f"{step}-hang":
            await _for_ever()
        if self._fault is Fault.SHELL_ID_IGNORED and message.body is not None:
            message.body.attrib.pop("ShellId", None)
        if self._fault is Fault.SHELL_ID_REFUSED and message.body is not None and message.body.get("ShellId"):
            raise WSManFault(BAD_PARAMETER)
        refusal = _REFUSALS.get(self._fault) if self._fault is not None else None
        if refusal is not None and refusal[0] == step:
            raise WSManFault(refusal[1], subject=message.shell_id or "30", wmi=self._fault is Fault.QUOTA_SHELLS_WMI)

    def after(self, message: Message, body: bytes) -> bytes:
        """Change the answer to a message that was acted on, or raise ResetConnection."""
        if self._fault == f"{_step(message)}-reset":
            raise ResetConnection
        if self._fault is Fault.RELATES_TO:
            return _RELATES_TO.sub(f"<a:RelatesTo>{message_id()}</a:RelatesTo>".encode(), body)
        if self._fault is Fault.NO_EXIT_CODE:
            return _EXIT_CODE.sub(b"", body)
        return body

    def deliver(self, message: Message, response: Response) -> Response:
        """How the answer is sent."""
        if self._fault is Fault.DRIP and _step(message) == "create":
            return replace(response, delivery=Delivery.DRIP)
        if self._fault is Fault.CUT and _step(message) == "receive":
            return replace(response, delivery=Delivery.CUT)
        return response


def _step(message: Message) -> str:
    return message.action.rpartition("/")[2].lower()


async def _for_ever() -> None:
    await asyncio.get_running_loop().create_future()


@cache
def _static(fault: Fault) -> Response | None:
    if fault is Fault.NO_CHALLENGE:
        return _UNAUTHORIZED
    if fault is Fault.UNAVAILABLE:
        return Response(HTTPStatus.SERVICE_UNAVAILABLE, b"Service Unavailable", _HTML, close=True)
    if fault is Fault.REDIRECT:
        return Response(HTTPStatus.TEMPORARY_REDIRECT, headers=(("Location", "http://192.0.2.1:5985/wsman"),))
    if fault is Fault.GARBAGE:
        return Response(HTTPStatus.OK, _PAGE, _HTML)
    if fault is Fault.GZIP_BOMB:
        headers = (("Content-Type", "application/soap+xml;charset=UTF-8"), ("Content-Encoding", "gzip"))
        return Response(HTTPStatus.OK, _bomb(), headers)
    return None


@cache
def _bomb() -> bytes:
    block = b" " * 1024 * 1024
    return b"".join([gzip.compress(block * 3, mtime=0)] * 100)
