"""Stand-ins of Stripe, PayPal and the mail and SMS carriers: small stateful servers on loopback.

The tests talk to them, and so does `make up` where no provider key is set. Nothing here imports
Plaza: a stand-in knows only what the provider's own contract says.
"""
