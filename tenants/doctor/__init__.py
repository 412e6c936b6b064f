"""`manage.py tenant doctor`: what is wrong with tenants, schemas, roles and rights, and how it is mended.

Every check is one question to the catalog for all tenants at once; `examination.CHECKS` lists them.
"""
