"""What is read to find out who asks, before the tenant is known; and a tenant's own members, by itself."""

from config.rights import TableRights
from tenants.trail import sealed as trail

# SQL that the owner replays, and which migrations it believes to be done.
OWNERS_TABLES = (
    *("tenants_template", "django_migrations"),
    # The trail is nobody's to rewrite: what the functions below do not add, nobody adds.
    *("tenants_trailpending", "tenants_trailhead", "tenants_operatorevent"),
)
KEEPER_TABLES = ("tenants_trailpending", "tenants_trailhead")
KEEPER_APPENDS = ("tenants_operatorevent",)
FUNCTIONS = (trail.RECORD, trail.SEAL)
RIGHTS = (
    TableRights("tenants_tenant", by="", lookup=True),
    TableRights("tenants_tenantversion"),
    TableRights("tenants_domain", lookup=True),
    TableRights("tenants_retiredslug", lookup=True),
    # Ids and roles; who the people are stands in a table of which a tenant sees nothing.
    TableRights("tenants_member", stall="SELECT", lookup=True),
    TableRights("tenants_customrole", lookup=True),
    TableRights("tenants_person", by="", lookup=True),
    TableRights("tenants_apikey", lookup=True),
    TableRights("tenants_refreshtoken", by="", lookup=True),
    TableRights("tenants_signin", by="", lookup=True),
    TableRights("tenants_trailhead", stall="SELECT"),
    TableRights("django_session", by="", lookup=True),
)
