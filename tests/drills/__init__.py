"""Drills that prove the wall between tenants: `python -m tests.drills NAME --n N --seed S`.

  sqlwall       over 300 SQL injections at every place of a statement, by every kind of cursor, at a stall,
                at the square and at the lookup: no row, count, size or sight of a neighbour's session, and
                the next one who is given the connection finds it set as declared. Each is also tried on
                django-tenants' plain way, which must be seen leaking.
                `--login role|tenant` says how a connection becomes the tenant's (PLAZA_DB_LOGIN); with a
                sign-in of the tenant's own, whole statements of the attacker count too.
  interleave    threads, async code, tasks and a pool that is too small, each reading its own canary.
  pgbouncer     the same through PgBouncer in transaction mode, with a sign-in for each tenant; and
                django-tenants' SET of a session, which must be seen wrong.
  isolation     random requests of one tenant over every address, with another's ids, tokens, keys,
                sessions, cursors, hosts and headers: none of the other's bytes, and nothing of its changed.
  offboard      one of many tenants is erased (`--n` of them) while others read and write over the API, in
                turns with slices without it: fewer than 100 locks at any moment, and nobody is slower.
  provisioning  sign-ups killed with SIGKILL at random moments: run again, and the outcome is the same.

Each prints `drill=… n=… leaks=… lost=… dup=… p95=… PASS|FAIL` and exits 0 or 1. A drill fails too when its
own check could not have failed. All of it happens in databases that the drill makes and drops on the server
of DATABASE_URL, as the roles of production; equal seeds ask the same questions in the same order.
"""
