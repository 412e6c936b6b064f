"""`up`: everything that Plaza needs, until Ctrl-C."""

import sys
import time
from dataclasses import dataclass

from config.local import names, servers
from config.local.files import Follower
from config.local.home import REPOSITORY
from config.local.leftovers import MARK, Register
from config.local.lock import AlreadyHeld, holding
from config.local.plan import Plan, Wish, plan_for, web_port
from config.local.ports import HOST, is_free, next_free
from config.local.preflight import settings_checked
from config.local.processes import Child, Command, start
from config.local.secrets import secrets_of
from config.local.signals import StopAsked, StopRequest
from config.local.stamp import is_set_up, remember, stamp_of
from config.local.summary import tell_addresses, tell_choices
from config.local.supervisor import Supervisor
from config.local.terminal import Terminal
from config.local.trouble import Trouble


def up(wish: Wish, terminal: Terminal) -> int:
    """Run until somebody asks to stop: 0 then. Raises Trouble, OSError."""
    began = time.monotonic()
    stop = StopRequest()
    stop.listen()
    wish.home.prepare()
    port = web_port(wish.environment)
    try:
        with holding(wish.home.lock, url=f"http://{HOST}:{port}"):
            return _Run(wish, terminal, stop, began).to_the_end()
    except AlreadyHeld as holder:
        raise Trouble(
            f"Plaza is already running from this folder (pid {holder.pid or 'unknown'}) at {holder.url}",
            todo="Stop it with Ctrl-C there, or start another one with PLAZA_HOME and PLAZA_PORT.",
        ) from None


@dataclass(slots=True)
class _Run:
    wish: Wish
    terminal: Terminal
    stop: StopRequest
    began: float

    def to_the_end(self) -> int:
        register = Register(self.wish.home.processes)
        for name in register.end_leftovers():
            self.terminal.note(f"ended {name}, left over from a killed run")
        plan = plan_for(self.wish, secrets_of(self.wish.home), self.stop)
        if names.WEB in self.wish.services:
            check_port(plan.port)
        supervisor = Supervisor(self.terminal, register, self.stop)
        try:
            self._begin(plan, supervisor)
            supervisor.watch()
        except StopAsked:
            self.terminal.line("")
            self.terminal.note("Stopping (Ctrl-C again hastens it)")
        finally:
            self.wish.home.environment.unlink(missing_ok=True)
            supervisor.stop_all()
        self.terminal.done("Plaza is stopped; its data are kept")
        return 0

    def _begin(self, plan: Plan, supervisor: Supervisor) -> None:
        if plan.postgres is not None and not plan.postgres.cluster.is_made():
            self.terminal.note("making PostgreSQL's data (a few seconds, this once)")
        servers.prepare(plan)
        if names.APPLICATION & set(self.wish.services):
            with settings_checked(plan, supervisor):
                self._begin_servers(plan, supervisor)
        else:
            self._begin_servers(plan, supervisor)
        servers.tell_environment(plan)
        tell_choices(plan, self.terminal)
        if names.WEB in self.wish.services:
            self._set_up(plan, supervisor)
        application = servers.application(plan)
        web = [service for service in application if service.name == names.WEB]
        others = [service for service in application if service not in web]
        # The web server first: with two cores, whoever starts beside it makes it later.
        supervisor.launch(*web)
        supervisor.await_ready(*web)
        supervisor.launch(*others)
        tell_addresses(plan, self.terminal, seconds=time.monotonic() - self.began)

    def _begin_servers(self, plan: Plan, supervisor: Supervisor) -> None:
        embedded = servers.embedded(plan)
        supervisor.launch(*embedded)
        # Only set-up needs the stand-ins; a second start does not wait for them.
        supervisor.await_ready(*(each for each in embedded if each.name != names.STANDINS))

    def _set_up(self, plan: Plan, supervisor: Supervisor) -> None:
        stamp = stamp_of(plan)
        if is_set_up(plan, stamp):
            return
        # The command itself compares releases only; a new domain or password needs the force.
        force = plan.postgres is not None and self.wish.home.setup_stamp.exists()
        supervisor.await_ready(*supervisor.services)
        self.terminal.note("setting up tables, plans and demo tenants")
        child = start(
            Command(
                name="setup",
                argv=(sys.executable, "manage.py", "setup", *(("--force",) if force else ())),
                log=self.wish.home.log("setup"),
                environment=plan.environment()
                | {MARK: supervisor.register.mark, "PYTHONUNBUFFERED": "1"},
                folder=REPOSITORY,
            )
        )
        try:
            self._follow(child, supervisor)
        finally:
            child.ask_to_stop()
            if not child.wait(10):
                child.kill()
        if child.process.returncode != 0:
            # The rest has been shown as it came.
            self.terminal.quote([line for line in child.last_words(5) if line.startswith("{")])
            words = [line for line in child.last_words() if line and not line.startswith("{")]
            reason = f": {words[-1].removeprefix('CommandError: ')}" if words else "."
            raise Trouble(
                f"`manage.py setup` failed ({child.ending()}){reason}",
                todo=f"Its log is {child.command.log}",
            )
        remember(self.wish.home, stamp)
        took = time.monotonic() - child.started_at
        self.terminal.done(f"Tables, plans and demo tenants set up in {took:.1f} s")

    def _follow(self, child: Child, supervisor: Supervisor) -> None:
        """Show what it says for people; its log events (JSON) stay in the log."""
        log = Follower(child.command.log, child.log_from)

        def has_ended() -> bool:
            ended = child.has_ended()
            self.terminal.quote([line for line in log.new_lines() if not line.startswith("{")])
            return ended

        supervisor.watch(until=has_ended)


def check_port(port: int) -> None:
    """Raise Trouble, with a command that would work, when the web server cannot have its port."""
    try:
        if is_free(port):
            return
        reason = f"Port {port} is taken by another program."
    except PermissionError:
        reason = f"Port {port} is reserved to root."
    suggested = next_free(max(port, 8000))
    raise Trouble(reason, todo=f"Take another one: PLAZA_PORT={suggested} make up")
