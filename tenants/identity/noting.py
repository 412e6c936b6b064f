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
    _of_themselves(Action.SIGN_IN_SUCCEEDED, member, Change(after={"by": by}))


def note_sign_out(member: Member, *, by: str) -> None:
    """That one sign-in of theirs ended (`by`: a session or tokens)."""
    _of_themselves(Action.SIGN_IN_ENDED, member, Change(before={"by": by}))


def note_signed_out_everywhere(member: Member) -> None:
    """In the transaction that ends them all. It stands in the trail of the tenant where it was asked."""
    _of_themselves(Action.SIGN_INS_ENDED, member, Change())


def note_second_factor(action: Action, member: Member) -> None:
    """That the person set one up, renewed its codes or let go of it: in that transaction."""
    _of_themselves(action, member, Change())


def note_reuse(member: Member) -> None:
    """A used refresh token of theirs came again, from whomever, and its family is revoked."""
    subject = Subject("member", member.pk, masked(member.person.email))
    record(Action.REFRESH_REUSED, subject, tenant_id=member.tenant_id, actor=NOBODY)


def _of_themselves(action: Action, member: Member, change: Change) -> None:
    record(
        action,
        Subject("member", member.pk, masked(member.person.email)),
        change,
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
