"""Mails to a tenant's people: promised in the caller's transaction, worded in each person's language."""

from tenants.mails.letters import Letter, LetterKind
from tenants.mails.posting import post

__all__ = ["Letter", "LetterKind", "post"]
