"""Single sign-on: a tenant's own provider opens that tenant, and nothing else."""
