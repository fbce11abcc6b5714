"""Addresses of consent: the desk, a person, proofs, forms; and of the public page to sign."""

from __future__ import annotations

from django.urls import path

from marketing.web import (
    consent,
    consent_agreements,
    consent_coverage,
    consent_history,
    consent_person,
    consent_reports,
    forms_pages,
    proof,
    public_choices,
    purposes,
    replies,
    signing_page,
    suppressions,
    wishes,
)

_ONE = "consent/<uuid:public_id>/authorizations/<uuid:authorization_id>/"

urlpatterns = [
    path("consent/", consent.desk, name="consent"),
    path("consent/agreements/", consent_agreements.listed, name="agreements"),
    path("consent/agreements/csv/", consent_agreements.exported, name="agreements-csv"),
    path("consent/coverage/", consent_coverage.covered, name="coverage"),
    path("consent/coverage/people/", consent_coverage.people, name="coverage-people"),
    path("consent/withdrawals/", consent_reports.withdrawals, name="withdrawals"),
    path("consent/refusals/", consent_reports.refusals, name="refusals"),
    path("consent/<uuid:public_id>/", consent_person.person, name="consent-person"),
    path("consent/<uuid:public_id>/history/", consent_history.whole, name="consent-history"),
    path("consent/<uuid:public_id>/authorizations/", consent_person.record, name="consent-record"),
    path(_ONE, proof.authorization, name="authorization"),
    path(f"{_ONE}pdf/", proof.pdf, name="authorization-pdf"),
    path(f"{_ONE}scan/", proof.scan, name="authorization-scan"),
    path(f"{_ONE}copy/", proof.copied, name="authorization-copied"),
    path(f"{_ONE}defect/", proof.defective, name="authorization-defective"),
    path(f"{_ONE}withdrawal/", consent_person.revoke, name="consent-revoke"),
    path("consent/<uuid:public_id>/signing/", proof.ask, name="consent-ask"),
    path("consent/<uuid:public_id>/paper/", proof.paper, name="consent-paper"),
    path("consent/<uuid:public_id>/opt-outs/", consent_person.opt_out, name="consent-opt-out"),
    path("consent/suppressions/", suppressions.suppressions, name="suppressions"),
    path("consent/suppressions/import/", suppressions.take, name="suppressions-import"),
    path("consent/suppressions/file/", suppressions.export, name="suppressions-file"),
    path("consent/suppressions/find/", suppressions.find, name="suppression-find"),
    path(
        "consent/suppressions/<uuid:suppression_id>/release/",
        suppressions.release,
        name="suppression-release",
    ),
    path("consent/replies/", replies.replies, name="replies"),
    path("consent/replies/<uuid:reply_id>/", replies.decide, name="reply-decide"),
    path("consent/purposes/", purposes.purposes, name="purposes"),
    path("consent/<uuid:public_id>/wishes/", wishes.wishes, name="consent-wishes"),
    path("consent/<uuid:public_id>/restrictions/", wishes.restrict, name="consent-restrict"),
    path(
        "consent/<uuid:public_id>/restrictions/<uuid:wish_id>/end/",
        wishes.end_restriction,
        name="consent-restriction-end",
    ),
    path("consent/<uuid:public_id>/confidential/", wishes.confide, name="consent-confide"),
    path("consent/<uuid:public_id>/plain/", wishes.accept_plain, name="consent-plain"),
    path(
        "consent/<uuid:public_id>/wishes/<slug:kind>/<uuid:wish_id>/end/",
        wishes.end,
        name="consent-wish-end",
    ),
    path("forms/", forms_pages.forms_list, name="forms"),
    path("forms/<uuid:form_id>/", forms_pages.form, name="form"),
    path("forms/<uuid:form_id>/archive/", forms_pages.archive, name="form-archive"),
    path("m/u/<str:token>/choices", public_choices.choices, name="choices"),
    path("m/s/<str:token>", signing_page.sign, name="sign"),
    path("m/s/copy/<str:token>", signing_page.copy, name="sign-copy"),
]
