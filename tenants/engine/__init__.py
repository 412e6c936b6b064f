"""Our database engine: django-tenants' PostgreSQL backend, made to fail closed (tenants/isolation.py)."""
