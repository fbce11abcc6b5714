"""Every address."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from marketing.web import (
    account,
    api_keys,
    forecasts,
    home,
    segment_approvals,
    segment_builder,
    segment_panels,
    segment_parts,
    segments,
    sign_in,
    staff,
    styleguide,
    trail,
)

handler400 = "marketing.web.errors.bad_request"
handler403 = "marketing.web.errors.forbidden"
handler404 = "marketing.web.errors.missing"
handler500 = "marketing.web.errors.broken"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("home/last-day/", home.last_day, name="home-last-day"),
    path("api/v1/", include("marketing.api.urls")),
    path("m/", include("messaging.public_urls")),
    # Staff come and go
    path("sign-in/", sign_in.start, name="sign-in"),
    path("sign-in/code/", sign_in.code, name="sign-in-code"),
    path("sign-in/recovery/", sign_in.recovery, name="sign-in-recovery"),
    path("sign-in/authenticator/", sign_in.enrol, name="sign-in-enrol"),
    path("sign-in/link/<str:token>/", sign_in.sample_link, name="sign-in-link"),
    path("sign-out/", sign_in.sign_out, name="sign-out"),
    path("invitation/<str:token>/", sign_in.invitation, name="invitation"),
    path("confirm/", sign_in.confirm, name="confirm"),
    # Segments
    path("segments/", segments.segments, name="segments"),
    path("segments/new/", segment_builder.edit, name="segment-new"),
    path("segments/preview/", segment_builder.preview, name="segment-preview"),
    path("segments/codes/", segment_builder.codes, name="segment-codes"),
    path("segments/steps/<uuid:workflow_id>/", segment_parts.steps, name="segment-steps"),
    path("segments/links/<uuid:template_id>/", segment_parts.links, name="segment-links"),
    path("segments/<uuid:segment_id>/", segments.segment, name="segment"),
    path("segments/<uuid:segment_id>/edit/", segment_builder.edit, name="segment-edit"),
    path("segments/<uuid:segment_id>/count/", segments.count, name="segment-count"),
    path("segments/<uuid:segment_id>/archive/", segments.archive, name="segment-archive"),
    path("segments/<uuid:segment_id>/why/", segments.find, name="segment-find"),
    path("segments/<uuid:segment_id>/why/<uuid:contact_id>/", segments.why, name="segment-why"),
    path("segments/<uuid:segment_id>/reach/", segment_panels.reach, name="segment-reach"),
    path("segments/<uuid:segment_id>/forecast/", forecasts.of_segment, name="segment-forecast"),
    path("segments/<uuid:segment_id>/overlap/", segment_panels.overlap, name="segment-overlap"),
    path(
        "segments/<uuid:segment_id>/approvals/",
        segment_approvals.request_approval,
        name="segment-approval-request",
    ),
    path(
        "segments/<uuid:segment_id>/approvals/<uuid:approval_id>/",
        segment_approvals.decide,
        name="segment-approval",
    ),
    # Prove
    path("", include("marketing.web.consent_addresses")),
    path("", include("marketing.web.people_addresses")),
    path("", include("marketing.web.message_addresses")),
    path("", include("marketing.web.campaign_addresses")),
    path("", include("marketing.web.workflow_addresses")),
    path("", include("marketing.web.settings_addresses")),
    # One's own account
    path("account/", account.account, name="account"),
    path("account/password/", account.password, name="account-password"),
    path("account/authenticator/", account.authenticator, name="account-authenticator"),
    path("account/recovery-codes/", account.recovery_codes, name="account-recovery-codes"),
    path(
        "account/sessions/<uuid:session_id>/end/", account.end_session, name="account-session-end"
    ),
    # Prove
    path("trail/", trail.trail, name="trail"),
    path("trail/<int:entry_id>/", trail.entry, name="trail-entry"),
    path("trail/check/", trail.check, name="trail-check"),
    # Run
    path("integrations/keys/", api_keys.keys, name="api-keys"),
    path("integrations/keys/new/", api_keys.new, name="api-key-new"),
    path("integrations/keys/<uuid:key_id>/revoke/", api_keys.revoke, name="api-key-revoke"),
    path("staff/", staff.staff, name="staff"),
    path("staff/invite/", staff.invite, name="staff-invite"),
    path("staff/<uuid:user_id>/", staff.person, name="staff-person"),
    path("staff/<uuid:user_id>/role/", staff.change_role, name="staff-role"),
    path("staff/<uuid:user_id>/disable/", staff.disable, name="staff-disable"),
    path("staff/<uuid:user_id>/invitation/", staff.invite_again, name="staff-invite-again"),
]

if not settings.PRODUCTION:
    urlpatterns += [
        path("styleguide/", styleguide.styleguide, name="styleguide"),
        path("sample/switch/", sign_in.sample_switch, name="sample-switch"),
    ]
