"""All kinds of records in one place to import from; each is defined with its theme."""

from registry.agreements import Agreement, AgreementVersion, OrganSignature
from registry.calendar import CalendarDay
from registry.catalogue_rows import CatalogueItem, PilotRegion, SetupRow
from registry.clients import Client, ClientApprovalKey
from registry.document_status import DocumentStatus, StatusChange
from registry.organs import Organ, OrganKey, Succession
from registry.persons import Person, PersonKey, RoleAssignment
from registry.proposals import Proposal
from registry.seal_keys import SealKey
from registry.seals import Filing, Seal, Specimen
from registry.service_keys import ServiceKey

__all__ = [
    "Agreement",
    "AgreementVersion",
    "CalendarDay",
    "CatalogueItem",
    "Client",
    "ClientApprovalKey",
    "DocumentStatus",
    "Filing",
    "Organ",
    "OrganKey",
    "OrganSignature",
    "Person",
    "PersonKey",
    "PilotRegion",
    "Proposal",
    "RoleAssignment",
    "Seal",
    "SealKey",
    "ServiceKey",
    "SetupRow",
    "Specimen",
    "StatusChange",
    "Succession",
]
