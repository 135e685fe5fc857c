"""One visit to one host: log on, run the payload, read the answers, judge. The one place that catches everything.

Whatever happens, a visit ends in a HostReport: what had arrived by then is judged, and the rest carries the reason.
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import anyio
import anyio.to_thread

from fleetscan.credentials import Vault
from fleetscan.errors import InputError, TransportError
from fleetscan.judge import against, judge
from fleetscan.model.facts import LATER, HostFacts
from fleetscan.model.host import Credential, Host
from fleetscan.model.playbook import Playbook
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.run import HostReport, Trouble
from fleetscan.powershell import answers, envelope
from fleetscan.powershell.payload import Payload, invoke
from fleetscan.scan.guard import LogonGuard
from fleetscan.transports import Connection, Output, connector
from fleetscan.transports.troubles import REPORT

ATTEMPTS = 2
LOGON_SECONDS = 20.0
"""What a logon may take once the connection stands; a host that accepts and then says nothing costs no more."""
MARGIN_SECONDS = 5.0
"""How much earlier than the host's deadline the payload ends itself, so that its last answers still arrive."""

Recall = Callable[[Host], HostFacts | None]
"""What a host answered in an earlier visit, for totals that are read once; None where there is nothing to compare."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Seconds: for each step to a connection, and for the whole visit to a host."""

    connect: float
    host: float
    sample: float = 0.0
    """How far apart two readings of totals are; 0: there is one."""


@dataclass(slots=True)
class Visit:
    """A visit under way. `cancel` ends it with a reason; what it has by then is kept."""

    host: Host
    credential: Credential
    payload: Payload
    playbook: Playbook
    budget: Budget
    guard: LogonGuard
    vault: Vault
    on_stage: Callable[[Host, Stage], None]
    recall: Recall
    stage: Stage = Stage.QUEUED
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    attempts: int = 0
    _started: datetime | None = None
    _ended: datetime | None = None
    _trouble: Trouble | None = None
    _cancelled: Reason | None = None
    _output: Output | None = None
    _nonce: str = ""
    _heard: list[tuple[str, bytes]] = field(default_factory=list)
    """Of each run of the payload its nonce and what it answered, unread: that is small, and many may wait with it."""
    _seconds: dict[str, float] = field(default_factory=dict)
    _stage_since: float = 0.0
    _deadline: float = math.inf

    def cancel(self, reason: Reason) -> None:
        """End the visit now: CANCELLED or TIMEOUT_RUN."""
        self._cancelled = self._cancelled or reason
        self.scope.cancel()

    async def run(self) -> None:
        """Make the visit; never raises but for a cancellation from outside. `report` then says what it came to."""
        self._started = datetime.now(UTC)
        self._stage_since = anyio.current_time()
        try:
            with self.scope:
                self._trouble = await self._ask()
        except TransportError as error:
            self._trouble = Trouble(reason=error.reason, stage=error.stage, message=error.message, hint=error.hint)
        except InputError as error:
            self._trouble = Trouble(reason=Reason.AUTH_SECRET, stage=Stage.CREDENTIAL, message=error.message)
            if self._cancelled:
                self._trouble = self._late()
        except Exception as error:  # noqa: BLE001 - a defect of ours costs one host its result, never the run
            self._trouble = self._defect(error)
        if self.scope.cancelled_caught:
            self._trouble = self._late()
        if self._output is not None:
            self._hear(self._output)
        self._ended = datetime.now(UTC)
        self._enter(Stage.JUDGE)

    def report(self) -> HostReport:
        """Read the answers and judge them: some milliseconds of work, after which the visit holds nothing any more."""
        try:
            return self._judged(self._trouble)
        except Exception as error:  # noqa: BLE001 - as in `run`: what hosts answer may find a defect of ours here
            trouble = self._defect(error)
            self._heard.clear()
            return self._judged(trouble)

    def _judged(self, trouble: Trouble | None) -> HostReport:
        if trouble is not None:
            redact = self.vault.redactor.redact
            trouble = replace(trouble, message=redact(trouble.message), hint=redact(trouble.hint))
            log.debug("%s: %s at %s: %s", self.host.name, trouble.reason, trouble.stage, trouble.message)
        facts = answers.merge(self.payload, [envelope.decode(heard, nonce) for nonce, heard in self._heard])
        facts = against(facts, self.playbook, self.recall(self.host))
        findings = judge(self.host, facts, self.playbook, trouble)
        self._heard.clear()
        return HostReport(
            host=self.host,
            started_at=self._started,
            ended_at=self._ended,
            facts=facts,
            findings=findings,
            trouble=trouble,
            attempts=self.attempts,
            seconds={stage: round(seconds, 3) for stage, seconds in self._seconds.items()},
        )

    def _defect(self, error: Exception) -> Trouble:
        log.error("visit to %s failed", self.host.name, exc_info=error)
        return Trouble(
            reason=Reason.INTERNAL,
            stage=self.stage,
            message=f"fleetscan failed here: {type(error).__name__}",
            hint=REPORT,
        )

    def _late(self) -> Trouble:
        reason = self._cancelled or Reason.TIMEOUT_HOST
        text = {
            Reason.TIMEOUT_HOST: f"not finished within {self.budget.host:g} s (--host-timeout)",
            Reason.TIMEOUT_RUN: "the budget of the whole run was used up (--run-timeout)",
        }.get(reason, "the scan was interrupted")
        hint = "the slow step is named; raise --host-timeout if it is honest work"
        return Trouble(
            reason=reason,
            stage=self.stage,
            message=f"{text}; the visit was at step {self.stage}",
            hint=hint if reason is Reason.TIMEOUT_HOST else "",
        )

    async def _ask(self) -> Trouble | None:
        return await self._ask_through(self.host, self.credential)

    async def _ask_through(self, host: Host, credential: Credential) -> Trouble | None:
        """Connect to a host, with its own credential, and run the payload there."""
        connection = await self._connect(host, credential)
        try:
            return await self._run_payload(connection)
        finally:
            await connection.aclose()

    async def _connect(self, host: Host, credential: Credential) -> Connection:
        attempt = 0
        while True:
            attempt += 1
            self.attempts += 1
            try:
                return await self._log_on(host, credential)
            except TransportError as error:
                pause = random.uniform(0.2, 0.8)  # noqa: S311 - jitter, not cryptography
                in_time = anyio.current_time() + pause + self.budget.connect < self._deadline
                if not error.retryable or attempt >= ATTEMPTS or not in_time:
                    raise named(error, credential) from None
                log.info("%s: %s at %s, trying once more", self.host.name, error.reason, error.stage)
            await anyio.sleep(pause)

    async def _log_on(self, host: Host, credential: Credential) -> Connection:
        self._enter(Stage.CREDENTIAL)
        self.guard.refuse_if_stopped(credential)
        self._start_clock()
        # A secret may come from a command of the user's that takes its time.
        login = await anyio.to_thread.run_sync(self.vault.login, credential.name)
        connect = connector(host.transport)
        seconds = 3 * self.budget.connect + LOGON_SECONDS
        try:
            with anyio.fail_after(seconds) as scope:
                return await connect(
                    host,
                    login,
                    connect_timeout=self.budget.connect,
                    on_stage=self._enter,
                    showing=lambda: self._showing(host, credential, scope),
                )
        except TimeoutError:
            raise TransportError(
                Reason.UNREACHABLE_TIMEOUT,
                self.stage,
                f"no answer within {seconds:g} s; the visit was at step {self.stage}",
                hint="the host accepts connections but does not serve them: look at its WinRM or SSH service",
            ) from None

    @asynccontextmanager
    async def _showing(self, host: Host, credential: Credential, *scopes: anyio.CancelScope) -> AsyncIterator[None]:
        """The time of a logon: as soon as the guard allows it."""
        stage = self.stage
        async with AsyncExitStack() as logon:
            with self._standing_still(*scopes):
                self._enter(Stage.CREDENTIAL)
                await logon.enter_async_context(self.guard.logon(credential, host.name))
            self._enter(stage)
            yield

    @contextmanager
    def _standing_still(self, *scopes: anyio.CancelScope) -> Iterator[None]:
        """Stop the clocks of the visit and of these scopes: a wait for others' logons is not this host's fault."""
        began = anyio.current_time()
        stopped = [(scope, scope.deadline) for scope in (self.scope, *scopes)]
        for scope, _ in stopped:
            scope.deadline = math.inf
        try:
            yield
        finally:
            waited = anyio.current_time() - began
            self._deadline += waited
            for scope, deadline in stopped:
                scope.deadline = deadline + waited

    def _start_clock(self) -> None:
        """The budget begins when the visit does, at its first attempt."""
        if self._deadline == math.inf:
            self._deadline = self.scope.deadline = anyio.current_time() + self.budget.host

    async def _run_payload(self, connection: Connection) -> Trouble | None:
        """Run the payload; again without the questions that are answered or hung, as long as one of them hung."""
        done: set[str] = set()
        while True:
            output, status = await self._run_once(connection, done)
            if envelope.ended(output.stdout, self._nonce):
                return None
            reading = envelope.decode(output.stdout, self._nonce)
            hung = {name for name in reading.envelopes if _hung(reading, name)} - done
            done |= {name for name in reading.envelopes if not name.startswith("_")}
            if not hung:
                return answers.explain_silence(reading, output.stdout, output.stderr, status)
            done |= {name + LATER for name in hung}
            names = [name for probe in self.payload.probes for name in self.payload.names(probe)]
            if all(name in done or (name.endswith(LATER) and not self.budget.sample) for name in names):
                return None
            if self._remaining() < MARGIN_SECONDS:
                return self._late()

    async def _run_once(self, connection: Connection, done: set[str]) -> tuple[Output, int | None]:
        self._output = output = Output(sift=envelope.essence)
        self._enter(Stage.COMMAND)
        status = await self._running(connection, output, done)
        self._enter(Stage.ANSWER)
        self._hear(output)
        return output, status

    def _running(self, connection: Connection, output: Output, done: set[str]) -> Awaitable[int | None]:
        """The payload under way. Nothing here keeps what is sent: 64 visits would wait with 50 KB each."""
        invocation = invoke(self.payload, seconds=self._remaining(), skip=sorted(done), sample=self.budget.sample)
        self._nonce = invocation.nonce
        return connection.run(invocation.command, invocation.stdin, output)

    def _hear(self, output: Output) -> None:
        self._heard.append((self._nonce, envelope.essence(output.stdout)))
        self._output = None

    def _remaining(self) -> float:
        return self._deadline - anyio.current_time() - MARGIN_SECONDS

    def _enter(self, stage: Stage) -> None:
        now = anyio.current_time()
        spent = now - self._stage_since
        log.debug("%s: %s after %.3f s of %s", self.host.name, stage, spent, self.stage)
        self._seconds[self.stage] = self._seconds.get(self.stage, 0.0) + spent
        self._stage_since = now
        self.stage = stage
        self.on_stage(self.host, stage)


def named(error: TransportError, credential: Credential) -> TransportError:
    """The error; that of a rejected logon names the account, which the reader may not have expected."""
    if error.reason is not Reason.AUTH_REJECTED:
        return error
    account = f": {credential.username}" if credential.username else ""
    text = f"{error.message} (credential {credential.name}{account})"
    return TransportError(error.reason, error.stage, text, hint=error.hint)


def _hung(reading: envelope.Reading, name: str) -> bool:
    value = reading.envelopes[name].value
    return isinstance(value, dict) and value.get("status") == "timeout"
