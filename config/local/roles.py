"""Plaza's own processes as command lines: what `make up` runs, the containers and the cluster run too.

Each is what follows `python`; deploy/ has the same with the program's name instead of `-m`, and a test
compares them.
"""

# The queues that a worker without the owner's rights serves; of each a cluster may have its own.
QUEUES = ("plaza", "validation")
_CELERY = ("-m", "celery", "--quiet", "-A", "config.celery")


def web(*, host: str, port: int, log_config: str) -> tuple[str, ...]:
    return (
        *("-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port)),
        "--respawn-failed-workers",  # else one killed worker ends the others too
        *("--log-config", log_config, "--no-ws", "config.wsgi:application"),
    )


def worker(*, queues: tuple[str, ...] = QUEUES, processes: int) -> tuple[str, ...]:
    return (
        *(*_CELERY, "worker", "--loglevel", "INFO"),
        # No mingle: it waits a second for other workers, who have nothing to say.
        *("--queues", ",".join(queues), "--concurrency", str(processes), "--without-mingle"),
    )


def beat(*, schedule: str) -> tuple[str, ...]:
    return (*_CELERY, "beat", "--loglevel", "INFO", "--schedule", schedule, "--pidfile=")


def provisioner() -> tuple[str, ...]:
    """The one process that runs on with the owner's rights: it makes schemas, and serves nobody."""
    return (
        *(*_CELERY, "worker", "--loglevel", "INFO"),
        *("--queues", "provisioner", "--pool", "solo", "--without-mingle"),
        *("--hostname", "provisioner@%h"),
    )
