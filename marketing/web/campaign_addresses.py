"""Addresses of campaigns."""

from __future__ import annotations

from django.urls import path

from marketing.web import campaign_acts, campaign_calendar, campaign_check, campaigns, payments

urlpatterns = [
    path("campaigns/", campaigns.campaigns, name="campaigns"),
    path("campaigns/new/", campaigns.edit, name="campaign-new"),
    path("campaigns/calendar/", campaign_calendar.month, name="campaign-calendar"),
    path("campaigns/<uuid:campaign_id>/", campaigns.campaign, name="campaign"),
    path("campaigns/<uuid:campaign_id>/edit/", campaigns.edit, name="campaign-edit"),
    path("campaigns/<uuid:campaign_id>/check/", campaign_check.check, name="campaign-check"),
    path("campaigns/<uuid:campaign_id>/copy/", campaign_acts.copy, name="campaign-copy"),
    path(
        "campaigns/<uuid:campaign_id>/approval/",
        campaign_acts.ask_approval,
        name="campaign-ask-approval",
    ),
    path(
        "campaigns/<uuid:campaign_id>/approval/<uuid:approval_id>/",
        campaign_acts.decide,
        name="campaign-decide",
    ),
    path("campaigns/<uuid:campaign_id>/launch/", campaign_acts.launch, name="campaign-launch"),
    path("campaigns/<uuid:campaign_id>/payments/", payments.campaign, name="campaign-payments"),
    path("campaigns/<uuid:campaign_id>/pause/", campaign_acts.pause, name="campaign-pause"),
    path("campaigns/<uuid:campaign_id>/resume/", campaign_acts.resume, name="campaign-resume"),
    path("campaigns/<uuid:campaign_id>/cancel/", campaign_acts.cancel, name="campaign-cancel"),
    path("campaigns/<uuid:campaign_id>/runs/<int:number>/", campaigns.run, name="campaign-run"),
    path(
        "campaigns/<uuid:campaign_id>/runs/<int:number>/figures.csv",
        campaigns.figures_file,
        name="campaign-figures",
    ),
    path(
        "campaigns/<uuid:campaign_id>/runs/<int:number>/progress/",
        campaigns.progress,
        name="campaign-progress",
    ),
]
