"""The addresses of the API, version 1."""

from __future__ import annotations

from django.urls import path, re_path

from marketing.api import (
    campaign_acts,
    campaigns,
    code_groups,
    consent_reports,
    consents,
    contacts,
    events,
    families,
    fields,
    forecasts,
    histories,
    import_acts,
    imports,
    lists,
    merges,
    messages,
    numbers,
    payments,
    points,
    preferences,
    problems,
    recipient_keys,
    reference,
    returned_mail,
    segments,
    sends,
    suppressions,
    templates,
    wishes,
    workflow_reports,
    workflows,
    write_backs,
)

app_name = "api"
urlpatterns = [
    path("write-backs", write_backs.WriteBacks.as_view(), name="write-backs"),
    path("contacts", contacts.Contacts.as_view(), name="contacts"),
    path("contacts/batch", contacts.ContactBatches.as_view(), name="contact-batches"),
    path("contacts/lookup", contacts.ContactLookups.as_view(), name="contact-lookups"),
    path("contacts/<uuid:public_id>", contacts.OneContact.as_view(), name="contact"),
    path("contacts/<uuid:public_id>/history", histories.History.as_view(), name="history"),
    path(
        "contacts/<uuid:public_id>/keys",
        recipient_keys.RecipientKeys.as_view(),
        name="recipient-keys",
    ),
    path(
        "contacts/<uuid:public_id>/keys/<uuid:key_id>",
        recipient_keys.OneRecipientKey.as_view(),
        name="recipient-key",
    ),
    path("contacts/<uuid:public_id>/points", points.Points.as_view(), name="points"),
    path(
        "contacts/<uuid:public_id>/points/<uuid:point_id>",
        points.OnePoint.as_view(),
        name="point",
    ),
    path(
        "contacts/<uuid:public_id>/relationships",
        families.Relationships.as_view(),
        name="relationships",
    ),
    path(
        "contacts/<uuid:public_id>/relationships/<uuid:relationship_id>/end",
        families.RelationshipsEnded.as_view(),
        name="relationship-end",
    ),
    path("households", families.Households.as_view(), name="households"),
    path("households/<uuid:household_id>", families.OneHousehold.as_view(), name="household"),
    path("merges", merges.Merges.as_view(), name="merges"),
    path("merges/<uuid:merge_id>/undo", merges.MergesUndone.as_view(), name="merge-undo"),
    path("merge-proposals", merges.Proposals.as_view(), name="merge-proposals"),
    path("templates", templates.Templates.as_view(), name="templates"),
    path("templates/<uuid:template_id>", templates.OneTemplate.as_view(), name="template"),
    path(
        "templates/<uuid:template_id>/checks",
        templates.TemplateChecks.as_view(),
        name="template-checks",
    ),
    path(
        "templates/<uuid:template_id>/versions",
        templates.TemplateVersions.as_view(),
        name="template-versions",
    ),
    path(
        "templates/<uuid:template_id>/previews",
        templates.TemplatePreviews.as_view(),
        name="template-previews",
    ),
    path("campaigns", campaigns.Campaigns.as_view(), name="campaigns"),
    path("campaigns/calendar", campaigns.CampaignCalendar.as_view(), name="campaign-calendar"),
    path("campaigns/<uuid:campaign_id>", campaigns.OneCampaign.as_view(), name="campaign"),
    path(
        "campaigns/<uuid:campaign_id>/check",
        campaigns.CampaignChecks.as_view(),
        name="campaign-check",
    ),
    path(
        "campaigns/<uuid:campaign_id>/runs/<int:number>/figures",
        campaigns.CampaignFigures.as_view(),
        name="campaign-figures",
    ),
    path(
        "campaigns/<uuid:campaign_id>/approvals",
        campaign_acts.CampaignApprovals.as_view(),
        name="campaign-approvals",
    ),
    path(
        "campaigns/<uuid:campaign_id>/approvals/<uuid:approval_id>/decision",
        campaign_acts.CampaignDecisions.as_view(),
        name="campaign-decision",
    ),
    path(
        "campaigns/<uuid:campaign_id>/launch",
        campaign_acts.CampaignLaunches.as_view(),
        name="campaign-launch",
    ),
    path(
        "campaigns/<uuid:campaign_id>/pause",
        campaign_acts.CampaignPauses.as_view(),
        name="campaign-pause",
    ),
    path(
        "campaigns/<uuid:campaign_id>/resumption",
        campaign_acts.CampaignResumptions.as_view(),
        name="campaign-resumption",
    ),
    path(
        "campaigns/<uuid:campaign_id>/cancellation",
        campaign_acts.CampaignCancellations.as_view(),
        name="campaign-cancellation",
    ),
    path(
        "campaigns/<uuid:campaign_id>/copies",
        campaign_acts.CampaignCopies.as_view(),
        name="campaign-copies",
    ),
    path(
        "campaigns/<uuid:campaign_id>/payments",
        payments.CampaignPayments.as_view(),
        name="campaign-payments",
    ),
    path(
        "workflows/<uuid:workflow_id>/payments",
        payments.WorkflowPayments.as_view(),
        name="workflow-payments",
    ),
    path("forecasts", forecasts.Forecasts.as_view(), name="forecasts"),
    path("events", events.take_one, name="events"),
    path("events/batch", events.take_batch, name="event-batches"),
    path("consents", consents.Consents.as_view(), name="consents"),
    path(
        "consents/coverage",
        consent_reports.CoverageOfSegments.as_view(),
        name="consents-coverage",
    ),
    path("consents/fhir", consent_reports.FhirConsents.as_view(), name="consents-fhir"),
    path(
        "consents/<uuid:consent_id>/revocation",
        consents.ConsentRevocations.as_view(),
        name="consent-revocation",
    ),
    path("purposes", wishes.PurposeList.as_view(), name="purposes"),
    path("decisions", wishes.DecisionsAsked.as_view(), name="decisions"),
    path("restrictions", wishes.Restrictions.as_view(), name="restrictions"),
    path(
        "restrictions/<uuid:restriction_id>/end",
        wishes.RestrictionEndings.as_view(),
        name="restriction-end",
    ),
    path(
        "confidential-requests",
        wishes.ConfidentialRequests.as_view(),
        name="confidential-requests",
    ),
    path("plain-preferences", wishes.PlainPreferences.as_view(), name="plain-preferences"),
    path("part2-consents", wishes.Part2Consents.as_view(), name="part2-consents"),
    path("number-lists", numbers.NumberLists.as_view(), name="number-lists"),
    path("suppressions", suppressions.Suppressions.as_view(), name="suppressions"),
    path(
        "suppressions/lookup", suppressions.SuppressionLookups.as_view(), name="suppression-lookup"
    ),
    path(
        "suppressions/<uuid:suppression_id>/release",
        suppressions.SuppressionReleases.as_view(),
        name="suppression-release",
    ),
    path("replies", preferences.Replies.as_view(), name="replies"),
    path("topics", preferences.Topics.as_view(), name="topics"),
    path(
        "contacts/<uuid:public_id>/preferences",
        preferences.ContactPreferences.as_view(),
        name="preferences",
    ),
    path("contacts/<uuid:public_id>/regime", preferences.Regimes.as_view(), name="regime"),
    path("opt-outs", consents.OptOuts.as_view(), name="opt-outs"),
    path("returned-mail", returned_mail.ReturnedMail.as_view(), name="returned-mail"),
    path("lists", lists.Lists.as_view(), name="lists"),
    path("lists/<uuid:list_id>/members", lists.ListMembers.as_view(), name="list-members"),
    path(
        "workflows/<uuid:workflow_id>/enrolments",
        workflows.Enrolments.as_view(),
        name="enrolments",
    ),
    path(
        "workflows/<uuid:workflow_id>/report",
        workflow_reports.Reports.as_view(),
        name="workflow-report",
    ),
    path(
        "workflows/<uuid:workflow_id>/report/people",
        workflow_reports.ReportPeople.as_view(),
        name="workflow-report-people",
    ),
    path(
        "contacts/<uuid:public_id>/workflows",
        workflow_reports.ContactWorkflows.as_view(),
        name="contact-workflows",
    ),
    path(
        "workflows/<uuid:workflow_id>/simulations",
        workflows.Simulations.as_view(),
        name="simulations",
    ),
    path(
        "workflows/<uuid:workflow_id>/simulations/<uuid:simulation_id>",
        workflows.OneSimulation.as_view(),
        name="simulation",
    ),
    path("messages", messages.Messages.as_view(), name="messages"),
    path("messages/<uuid:public_id>", messages.OneMessage.as_view(), name="message"),
    path("messages/<uuid:public_id>/resend", sends.Resends.as_view(), name="message-resend"),
    path("undelivered", sends.UndeliveredMessages.as_view(), name="undelivered"),
    path("imports", imports.Imports.as_view(), name="imports"),
    path("imports/<uuid:run_id>", imports.OneImport.as_view(), name="import"),
    path(
        "imports/<uuid:run_id>/mapping", import_acts.ImportMappings.as_view(), name="import-mapping"
    ),
    path("imports/<uuid:run_id>/start", import_acts.ImportStarts.as_view(), name="import-start"),
    path("imports/<uuid:run_id>/pause", import_acts.ImportPauses.as_view(), name="import-pause"),
    path(
        "imports/<uuid:run_id>/resumption",
        import_acts.ImportResumptions.as_view(),
        name="import-resumption",
    ),
    path(
        "imports/<uuid:run_id>/withdrawal",
        import_acts.ImportWithdrawals.as_view(),
        name="import-withdrawal",
    ),
    path("imports/<uuid:run_id>/undo", import_acts.ImportUndoings.as_view(), name="import-undo"),
    path(
        "imports/<uuid:run_id>/refused", import_acts.ImportRefusals.as_view(), name="import-refused"
    ),
    path("segments", segments.Segments.as_view(), name="segments"),
    path("segments/preview", segments.SegmentPreviews.as_view(), name="segment-previews"),
    path("segments/<uuid:segment_id>", segments.OneSegment.as_view(), name="segment"),
    path(
        "segments/<uuid:segment_id>/count", segments.SegmentCounts.as_view(), name="segment-count"
    ),
    path(
        "segments/<uuid:segment_id>/explain",
        segments.SegmentExplanations.as_view(),
        name="segment-explanations",
    ),
    path(
        "segments/<uuid:segment_id>/overlap",
        segments.SegmentOverlaps.as_view(),
        name="segment-overlaps",
    ),
    path(
        "segments/<uuid:segment_id>/growth", segments.SegmentGrowth.as_view(), name="segment-growth"
    ),
    path(
        "segments/<uuid:segment_id>/approval",
        segments.SegmentApprovals.as_view(),
        name="segment-approval",
    ),
    path("fields", fields.Fields.as_view(), name="fields"),
    path("fields/<slug:key>", fields.OneField.as_view(), name="field"),
    path("code-groups", code_groups.CodeGroups.as_view(), name="code-groups"),
    path(
        "code-groups/starters",
        code_groups.CodeGroupStarters.as_view(),
        name="code-group-starters",
    ),
    path("code-groups/<uuid:group_id>", code_groups.OneCodeGroup.as_view(), name="code-group"),
    path(
        "code-groups/<uuid:group_id>/versions",
        code_groups.CodeGroupVersions.as_view(),
        name="code-group-versions",
    ),
    path("schema/", reference.schema, name="schema"),
    path("reference", reference.page, name="reference"),
    re_path("^", problems.no_such_address),
]
