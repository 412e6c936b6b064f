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
  clock         two years of tenants on a simulated clock, with faults: changes, coupons, late and doubled use,
                cards that fail, workers cut off: every unit billed once, every number taken, nothing charged twice.
  provisioning  sign-ups killed with SIGKILL at random moments: run again, and the outcome is the same.
  previews      random changes of subscriptions (plans, intervals, seats, add-ons, coupons, currencies, countries,
                month ends, leap years, time zones): each preview is the invoice that follows, line by line.
  webhooks      a past at Stripe and one at PayPal; its events permuted, doubled, delayed by days: one and the
                same end (subscription, grants, invoices, accounts), the journal balanced.
  reconcile     the same, with a part of the events lost for good: listed, which changes nothing; repaired, it
                ends the same.

These run against the real stack (granian with four processes, PostgreSQL, Valkey, Celery, over HTTP):

  killmoney     a checkout, a change, a period's end and a step of dunning, each killed by SIGKILL at every
                statement and every call of Stripe (`--n` the most of each): asked again, it ends as an
                undisturbed one does, and nothing is charged twice.
  grants        200 clients at once on a quota of 1,000, with a web process killed in the middle: exactly
                1,000 API calls, and exactly 1,000 contacts, are admitted.
  policy        suspended, resumed, a limit raised or lowered, a key or a family of tokens revoked, a role
                changed, a member removed, a name changed: the very next request on every process knows,
                with Redis stopped, dead or back with old data, and after writers killed half-way.
  noisy         one tenant floods, its neighbour's 99th percentile stays within a second; bulk work is shed
                first, and what is urgent goes on.
  web, worker, redis, postgres
                each killed again and again under load (Redis also stopped and emptied): the ledger is the
                sum of accepted work, to the unit, and only what may fail does.

Each prints `drill=… n=… leaks=… lost=… dup=… p95=… PASS|FAIL` and exits 0 or 1. A drill fails too when its
own check could not have failed. All of it happens in databases that the drill makes and drops on the server
of DATABASE_URL, as the roles of production, or in a stack of its own; equal seeds ask the same questions in the same order.
"""
