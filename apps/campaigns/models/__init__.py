from apps.campaigns.models.campaigns import Campaign, CampaignQuerySet, CampaignTransition
from apps.campaigns.models.mailings import Mailing, Recipient, SendBatch

__all__ = [
    "Campaign",
    "CampaignQuerySet",
    "CampaignTransition",
    "Mailing",
    "Recipient",
    "SendBatch",
]
