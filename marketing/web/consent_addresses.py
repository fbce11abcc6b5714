"""Addresses of the rules of consent, and of what one person asked for."""

from __future__ import annotations

from django.urls import path

from marketing.web import purposes, wishes

urlpatterns = [
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
]
