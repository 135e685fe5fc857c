"""The TCP and TLS connections to one WinRM listener, which another thread can cut at any moment.

Blocking reads cannot be interrupted, but a shutdown of their socket ends them. So each socket is known from before it
connects until after it is wrapped in TLS, and after `kill` no other is opened.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field

from fleetscan.errors import TransportError
from fleetscan.model.reasons import Reason, Stage
from fleetscan.transports.resolve import Address

_HEARTBEAT = 0.25
"""Seconds after which a thread that waits for a connection looks whether it should give up."""


@dataclass(slots=True)
class Progress:
    """How far the conversation with a listener has come. The worker writes it; it decides what an error means."""

    stage: Stage = Stage.CONNECT
    started: bool = False
    """A command was sent: from here on nothing may be tried again."""
    challenged: bool = False
    """The host has asked for our proof, on the connection on which it is to come."""
    logged_on: bool = False
    bound: bool = False
    """The logon belongs to the TCP connection (NTLM, Kerberos, CredSSP): after it, another connection is of no use."""
    sealed: bool = False
    """From the logon on, every message must be encrypted by WinRM itself."""
    accepted: frozenset[str] = frozenset()
    """The authentication schemes that fit the way in which we log on, in lower case; empty where none is named."""
    offered: set[str] = field(default_factory=set)
    """The authentication schemes that the listener named in its 401 answers, in lower case."""

    def trouble(self, reason: Reason, message: str, *, hint: str = "", passing: bool = False) -> TransportError:
        """An error at this point. `passing`: a new attempt may succeed, if nothing was started yet."""
        retryable = passing and not self.started
        return TransportError(reason, self.stage, message, hint=hint, retryable=retryable)


class Link:
    """The connections to one listener. At most one is open at a time; `kill` may be called from any thread."""

    def __init__(self, tls: ssl.SSLContext | None, tls_name: str, timeout: float) -> None:
        self.progress = Progress()
        self._tls = tls
        self._tls_name = tls_name
        self._timeout = timeout
        self._lock = threading.Lock()
        self._dead = False
        self._address: Address | None = None
        self._last: socket.socket | None = None
        self._waiting: socket.socket | None = None

    def begin(self, address: Address, connected: socket.socket) -> None:
        """Take over the first connection."""
        connected.settimeout(self._timeout)
        self._address = address
        self._last = self._waiting = connected

    def secure(self) -> None:
        """Do the TLS handshake of the connection that is waiting to be used."""
        connected, self._waiting = self._waiting, None
        if self._tls is None or connected is None:
            self._waiting = connected
        else:
            self._waiting = self._handshake(self._tls, connected)

    def certificate(self) -> bytes | None:
        """The listener's certificate, DER; None where there is no TLS."""
        return self._last.getpeercert(binary_form=True) if isinstance(self._last, ssl.SSLSocket) else None

    def take(self) -> socket.socket:
        """Hand out the waiting connection, or open another one where the logon allows it."""
        connected, self._waiting = self._waiting, None
        if connected is not None:
            return connected
        begun = self.progress.challenged or self.progress.logged_on
        if self._dead or self._address is None or (self.progress.bound and begun):
            text = "the host closed the connection in the middle of the session"
            raise self.progress.trouble(Reason.PROTOCOL_CLOSED, text, passing=True)
        connected = self._connect(self._address)
        return connected if self._tls is None else self._handshake(self._tls, connected)

    def kill(self) -> None:
        """End whatever blocks on a connection, within milliseconds, and open no other."""
        with self._lock:
            self._dead = True
            if self._last is None:
                return
            # Not SSLSocket.shutdown: it first forgets its TLS state, and a thread that is just sending would go on in
            # clear. An error says that the socket is closed or not connected: nothing can block on it.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._last, socket.SHUT_RDWR)

    def close(self) -> None:
        """Cut, and close what nobody has taken."""
        self.kill()
        if self._waiting is not None:
            self._waiting.close()
            self._waiting = None

    def _watch(self, connection: socket.socket) -> None:
        self._last = connection
        if self._dead:
            connection.close()
            raise ConnectionAbortedError

    def _connect(self, address: Address) -> socket.socket:
        """Connect by non-blocking steps, since a blocking connect cannot be cut on every system."""
        connection = socket.socket(address.family, socket.SOCK_STREAM)
        try:
            with self._lock:
                self._watch(connection)
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.connect_ex(address.place)
            self._await_connected(connection)
            connection.settimeout(self._timeout)
        except BaseException:
            connection.close()
            raise
        return connection

    def _await_connected(self, connection: socket.socket) -> None:
        deadline = time.monotonic() + self._timeout
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_WRITE)
            while not selector.select(_HEARTBEAT):
                if self._dead or time.monotonic() > deadline:
                    raise TimeoutError
        if number := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(number, os.strerror(number))

    def _handshake(self, tls: ssl.SSLContext, connected: socket.socket) -> ssl.SSLSocket:
        before, self.progress.stage = self.progress.stage, Stage.TLS
        try:
            with self._lock:  # wrapping moves the descriptor: `kill` must find the old socket or the new one
                secured = tls.wrap_socket(connected, server_hostname=self._tls_name, do_handshake_on_connect=False)
                self._watch(secured)
        except BaseException:
            connected.close()
            raise
        try:
            secured.do_handshake()
        except BaseException:
            secured.close()
            raise
        self.progress.stage = before
        return secured
