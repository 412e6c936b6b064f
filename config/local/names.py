"""The services of `make up` by name: what `--services` takes and what their logs are called."""

POSTGRES = "postgres"
REDIS = "redis"
STANDINS = "standins"
WEB = "web"
WORKER = "worker"
BEAT = "beat"
PROVISIONER = "provisioner"
ALL = (POSTGRES, REDIS, STANDINS, WEB, WORKER, BEAT, PROVISIONER)
# What loads the settings.
APPLICATION = frozenset({WEB, WORKER, BEAT, PROVISIONER})
# What `run` can put around a command.
SERVERS = (POSTGRES, REDIS, STANDINS)
