"""Who may do what, on one screen. What is not granted here is refused."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    MARKETER = "marketer"
    DESIGNER = "designer"
    APPROVER = "approver"
    ANALYST = "analyst"
    COMPLIANCE = "compliance"
    INTEGRATION = "integration"
    ADMINISTRATOR = "administrator"
    CARE = "care"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Role.MARKETER: "Marketer",
    Role.DESIGNER: "Designer",
    Role.APPROVER: "Approver",
    Role.ANALYST: "Analyst",
    Role.COMPLIANCE: "Compliance officer",
    Role.INTEGRATION: "Integration engineer",
    Role.ADMINISTRATOR: "Administrator",
    Role.CARE: "Care staff",
}


class Permission(StrEnum):
    CONTACTS_VIEW = "contacts.view"
    CONTACTS_SEARCH = "contacts.search"
    CONTACTS_WRITE = "contacts.write"
    CONTACTS_MERGE = "contacts.merge"
    CONTACTS_ERASE = "contacts.erase"
    CONTACTS_REVEAL_IDENTITY = "contacts.reveal_identity"
    CONTACTS_REVEAL_CLINICAL = "contacts.reveal_clinical"
    IMPORTS_VIEW = "imports.view"
    IMPORTS_RUN = "imports.run"
    IMPORTS_DOWNLOAD = "imports.download"
    EVENTS_WRITE = "events.write"
    SEGMENTS_VIEW = "segments.view"
    SEGMENTS_EDIT = "segments.edit"
    SEGMENTS_APPROVE = "segments.approve"
    TEMPLATES_VIEW = "templates.view"
    TEMPLATES_EDIT = "templates.edit"
    TEMPLATES_APPROVE = "templates.approve"
    TEMPLATES_REVIEW_MEDICAL = "templates.review_medical"
    TEMPLATES_REVIEW_COMPLIANCE = "templates.review_compliance"
    TEMPLATES_REVIEW_TECHNICAL = "templates.review_technical"
    CAMPAIGNS_APPROVE = "campaigns.approve"
    WORKFLOWS_VIEW = "workflows.view"
    WORKFLOWS_EDIT = "workflows.edit"
    WORKFLOWS_PUBLISH = "workflows.publish"
    WORKFLOWS_ENROL = "workflows.enrol"
    MESSAGES_VIEW = "messages.view"
    MESSAGES_SEND = "messages.send"
    ANSWERS_HANDLE = "answers.handle"
    TASKS_HANDLE = "tasks.handle"
    CONSENT_VIEW = "consent.view"
    CONSENT_RECORD = "consent.record"
    CONSENT_EXPORT = "consent.export"
    FORMS_EDIT = "forms.edit"
    TRAIL_VIEW = "trail.view"
    DELIVERY_VIEW = "delivery.view"
    PROTECTION_MANAGE = "protection.manage"
    KEYS_MANAGE = "keys.manage"
    STAFF_MANAGE = "staff.manage"
    ORGANISATION_MANAGE = "organisation.manage"
    FIELDS_VIEW = "fields.view"
    FIELDS_MANAGE = "fields.manage"
    CODE_GROUPS_MANAGE = "code_groups.manage"

    @property
    def label(self) -> str:
        """What it lets one do, in words: "may ..."."""
        return _MEANS[self]


_MEANS = {
    Permission.CONTACTS_VIEW: "see contacts, values masked",
    Permission.CONTACTS_SEARCH: "search by exact identifier",
    Permission.CONTACTS_WRITE: "put contacts in and change them",
    Permission.CONTACTS_MERGE: "merge records of one person, and take it back",
    Permission.CONTACTS_ERASE: "erase a person",
    Permission.CONTACTS_REVEAL_IDENTITY: "reveal names, addresses and demographics",
    Permission.CONTACTS_REVEAL_CLINICAL: "reveal clinical facts and coverage",
    Permission.IMPORTS_VIEW: "see what came in by file",
    Permission.IMPORTS_RUN: "import files",
    Permission.IMPORTS_DOWNLOAD: "take back the refused rows of a file",
    Permission.EVENTS_WRITE: "send events",
    Permission.SEGMENTS_VIEW: "see segments and count them",
    Permission.SEGMENTS_EDIT: "make and change segments",
    Permission.SEGMENTS_APPROVE: "approve segments that read a sensitive label",
    Permission.TEMPLATES_VIEW: "see message templates",
    Permission.TEMPLATES_EDIT: "make and change message templates",
    Permission.TEMPLATES_APPROVE: "approve what others wrote",
    Permission.TEMPLATES_REVIEW_MEDICAL: "review what others wrote for medical accuracy",
    Permission.TEMPLATES_REVIEW_COMPLIANCE: "review what others wrote for compliance",
    Permission.TEMPLATES_REVIEW_TECHNICAL: "review what others wrote for how it is shown",
    Permission.CAMPAIGNS_APPROVE: "approve campaigns that others made",
    Permission.WORKFLOWS_VIEW: "see workflows and campaigns, and their figures",
    Permission.WORKFLOWS_EDIT: "make and change workflows and campaigns",
    Permission.WORKFLOWS_PUBLISH: "publish, pause and close workflows",
    Permission.WORKFLOWS_ENROL: "put a contact into a workflow",
    Permission.MESSAGES_VIEW: "see messages and why they were sent or not",
    Permission.MESSAGES_SEND: "send messages",
    Permission.ANSWERS_HANDLE: "read what people write back, and answer them",
    Permission.TASKS_HANDLE: "see what workflows ask of staff, and say what became of it",
    Permission.CONSENT_VIEW: "see who agreed to what",
    Permission.CONSENT_RECORD: "record and revoke consent",
    Permission.CONSENT_EXPORT: "take proof of consent out as files, draw samples",
    Permission.FORMS_EDIT: "write and publish the forms that people sign",
    Permission.TRAIL_VIEW: "read the trail",
    Permission.DELIVERY_VIEW: "see what came in and went out by machine",
    Permission.PROTECTION_MANAGE: "decide by which protected ways messages may go",
    Permission.KEYS_MANAGE: "make and revoke API keys",
    Permission.STAFF_MANAGE: "invite staff, change roles, end access",
    Permission.ORGANISATION_MANAGE: "change the organisation's settings",
    Permission.FIELDS_VIEW: "see which fields and code groups there are",
    Permission.FIELDS_MANAGE: "add, change and remove fields",
    Permission.CODE_GROUPS_MANAGE: "make and change code groups",
}

_PEOPLE = ("contacts.view", "contacts.search")
_READS = ("segments.view", "templates.view", "workflows.view", "fields.view")
_GRANTED: dict[Role, tuple[str, ...]] = {
    Role.MARKETER: (
        *_PEOPLE, *_READS, "contacts.reveal_identity", "segments.edit", "templates.edit",
        "workflows.edit", "workflows.publish", "workflows.enrol", "messages.view",
        "messages.send", "consent.view", "imports.view", "tasks.handle",
    ),
    Role.DESIGNER: (*_READS, "templates.edit", "templates.review_technical"),
    Role.APPROVER: (
        *_READS, "templates.approve", "campaigns.approve", "templates.review_medical",
        "templates.review_technical", "workflows.publish", "messages.view",
    ),
    Role.ANALYST: (*_READS, "messages.view", "consent.view"),
    Role.COMPLIANCE: (
        *_PEOPLE, *_READS, "contacts.reveal_identity", "contacts.reveal_clinical",
        "contacts.write", "contacts.merge", "contacts.erase", "segments.approve",
        "messages.view", "consent.view",
        "consent.record", "consent.export", "forms.edit", "trail.view", "imports.view",
        "delivery.view", "protection.manage", "code_groups.manage", "templates.review_compliance",
        "answers.handle",
    ),
    Role.INTEGRATION: (
        "contacts.view", "imports.view", "imports.run", "imports.download", "delivery.view",
        "keys.manage", "fields.view",
    ),
    Role.ADMINISTRATOR: (
        "staff.manage", "keys.manage", "organisation.manage", "delivery.view", "protection.manage",
        "trail.view",
        "imports.view", "fields.view", "fields.manage", "code_groups.manage",
    ),
    Role.CARE: (
        *_PEOPLE, "contacts.reveal_identity", "contacts.reveal_clinical", "messages.view",
        "answers.handle", "tasks.handle", "consent.view",
    ),
}  # fmt: skip

_CLASSES: dict[Role, tuple[str, ...]] = {
    Role.MARKETER: ("identity", "contact_point", "demographic", "engagement"),
    Role.DESIGNER: (),
    Role.APPROVER: (),
    Role.ANALYST: ("engagement",),
    Role.COMPLIANCE: (
        "identity", "contact_point", "demographic", "clinical", "coverage", "engagement",
    ),
    Role.INTEGRATION: (),
    Role.ADMINISTRATOR: (),
    Role.CARE: (
        "identity", "contact_point", "demographic", "clinical", "coverage", "engagement",
    ),
}  # fmt: skip

MATRIX: dict[Role, frozenset[Permission]] = {
    role: frozenset(map(Permission, names)) for role, names in _GRANTED.items()
}

SCOPES = (
    Permission.CONTACTS_VIEW, Permission.CONTACTS_WRITE, Permission.CONTACTS_MERGE,
    Permission.CONTACTS_ERASE, Permission.EVENTS_WRITE,
    Permission.SEGMENTS_VIEW, Permission.SEGMENTS_EDIT,
    Permission.TEMPLATES_VIEW, Permission.TEMPLATES_EDIT,
    Permission.WORKFLOWS_VIEW, Permission.WORKFLOWS_EDIT, Permission.WORKFLOWS_PUBLISH,
    Permission.WORKFLOWS_ENROL, Permission.CAMPAIGNS_APPROVE,
    Permission.CONSENT_VIEW, Permission.CONSENT_RECORD, Permission.CONSENT_EXPORT,
    Permission.MESSAGES_VIEW, Permission.MESSAGES_SEND, Permission.ANSWERS_HANDLE,
    Permission.TASKS_HANDLE,
    Permission.IMPORTS_RUN, Permission.IMPORTS_DOWNLOAD,
    Permission.CONTACTS_REVEAL_IDENTITY, Permission.CONTACTS_REVEAL_CLINICAL,
    Permission.FIELDS_VIEW, Permission.FIELDS_MANAGE, Permission.CODE_GROUPS_MANAGE,
)  # fmt: skip
"""What an API key may be given."""


def allows(role: Role | str, permission: Permission | str) -> bool:
    return Permission(permission) in MATRIX[Role(role)]


def data_classes(role: Role | str) -> frozenset[str]:
    """Return the data classes whose values the role may see revealed, each reveal in the trail."""
    return frozenset(_CLASSES[Role(role)])
