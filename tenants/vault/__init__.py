"""The vault: secrets at rest, sealed with AES-256-GCM under a data key per tenant, which a master key wraps.

    row.sealed_secret = seal_for(row, "sealed_secret", "whsec_…")     # a SealedField of the model
    open_of(row, "sealed_secret")                                     # "whsec_…"

`sealing.py` seals and opens, `data_keys.py` keeps the keys, `masters.py` wraps them (the environment, a
file, a KMS), `rotation.py` changes both kinds without a pause. Call it on the square.
"""
