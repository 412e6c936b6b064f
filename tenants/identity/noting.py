"""Sign-ins as the audit trail keeps them: who came in, and whose name was tried in vain."""

from uuid import UUID

from tenants.isolation import on_square
from tenants.models import Member
from tenants.trail.actions import Action
from tenants.trail.masking import masked
from tenants.trail.origin import NOBODY, Actor
from tenants.trail.recording import Change, Subject, record


def note_sign_in(member: Member, *, by: str) -> None:
    """In the transaction of what was opened (`by`: a session or tokens). Raises AuditTrailAway."""
    record(
        Action.SIGN_IN_SUCCEEDED,
        Subject("member", member.pk, masked(member.person.email)),
        Change(after={"by": by}),
        tenant_id=member.tenant_id,
        actor=Actor("person", member.pk, person_id=member.person_id),
    )


@on_square()
def note_failed_sign_in(*, email: str, tenant_id: UUID | None = None) -> None:
    """After everything else, since a refusal under an Idempotency-Key takes back what was written before.

    Of an account that there is and one that there is not the same is told, and costs the same.
    """
    subject = Subject("person", "", masked(email[:254]))
    record(Action.SIGN_IN_FAILED, subject, tenant_id=tenant_id, actor=NOBODY)
