"""The audit trail: who did what, when, from where, before and after. Nobody can rewrite it unseen.

Whoever acts writes one row in the act's own transaction (recording.py), as does whoever acts for nobody.
It waits in public until a sealer gives it its number and digest and moves it into the tenant's schema
(sealing.py, within 10 s), where no runtime role may change or delete it. The chain's head stands in
public; `tenant doctor` compares the two (tenants/doctor/trails.py).
"""
