"""What `make up` runs: embedded servers, stand-ins of providers, and the supervisor over them.

Everything here works without Django and, but for the secrets' first making, without any package:
the supervisor starts in a tenth of a second and outlives a broken settings file.
"""
