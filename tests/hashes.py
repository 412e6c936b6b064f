"""Quick password hashes, for all tests but those about the hasher."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """The same algorithm with the least of work: a test makes hundreds of people."""

    time_cost, memory_cost, parallelism = 1, 64, 1
